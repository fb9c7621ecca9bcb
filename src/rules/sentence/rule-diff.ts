import type { ConditionDocument } from '../condition-document.js';
import type { RuleDocument } from '../rule-document.js';
import { jsonText } from './json-form.js';
import type { Texts } from './language.js';

/** A rule or a named condition, and how it is said. */
export interface Said<Document> {
  readonly name: string;
  readonly document: Document;
  readonly sentence: Texts;
}

/** All that a rule set says in sentences. */
export interface SaidSet {
  readonly rules: readonly Said<RuleDocument>[];
  /** The named conditions: a rule may do something else because one of them does. */
  readonly conditions: readonly Said<ConditionDocument>[];
}

export interface Change<Document> {
  readonly name: string;
  readonly before: Said<Document>;
  readonly after: Said<Document>;
}

/** What differs, each kind by name. */
export interface Changes<Document> {
  readonly added: readonly Said<Document>[];
  readonly removed: readonly Said<Document>[];
  readonly changed: readonly Change<Document>[];
  /** The same but for the name. */
  readonly renamed: readonly { readonly from: string; readonly to: string }[];
}

export interface RuleDiff {
  readonly rules: Changes<RuleDocument>;
  readonly conditions: Changes<ConditionDocument>;
}

/** What became of the rules of one set in another. Labels of the catalogue make no difference. */
export function diffRules(before: SaidSet, after: SaidSet): RuleDiff {
  return {
    rules: changesOf(before.rules, after.rules, ({ document }) => jsonText({ ...document, name: undefined })),
    conditions: changesOf(before.conditions, after.conditions, ({ document }) => jsonText(document)),
  };
}

/** `contentOf`: the same for those that differ in nothing but their name. */
function changesOf<Document>(
  before: readonly Said<Document>[],
  after: readonly Said<Document>[],
  contentOf: (one: Said<Document>) => string,
): Changes<Document> {
  const [earlier, later] = [byName(before), byName(after)];
  const gone = [...earlier.values()].filter(({ name }) => !later.has(name));
  const come = [...later.values()].filter(({ name }) => !earlier.has(name));
  const renamed = renames(gone, come, contentOf);
  const [from, to] = [new Set(renamed.map((one) => one.from)), new Set(renamed.map((one) => one.to))];
  return {
    added: come.filter(({ name }) => !to.has(name)),
    removed: gone.filter(({ name }) => !from.has(name)),
    changed: [...later.values()].flatMap((one) => {
      const other = earlier.get(one.name);
      const differs = other && jsonText(other.document) !== jsonText(one.document);
      return differs ? { name: one.name, before: other, after: one } : [];
    }),
    renamed,
  };
}

function renames<Document>(
  gone: readonly Said<Document>[],
  come: readonly Said<Document>[],
  contentOf: (one: Said<Document>) => string,
): Changes<Document>['renamed'] {
  const waiting = new Map<string, string[]>();
  for (const one of come) {
    const content = contentOf(one);
    waiting.set(content, [...(waiting.get(content) ?? []), one.name]);
  }
  return gone.flatMap((one) => {
    const to = waiting.get(contentOf(one))?.shift();
    return to === undefined ? [] : { from: one.name, to };
  });
}

function byName<Document>(all: readonly Said<Document>[]): ReadonlyMap<string, Said<Document>> {
  const sorted = [...all].sort((a, b) => (a.name < b.name ? -1 : 1));
  return new Map(sorted.map((one) => [one.name, one]));
}
