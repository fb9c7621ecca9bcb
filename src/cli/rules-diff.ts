import { statSync } from 'node:fs';
import type { ConditionDocument } from '../rules/condition-document.js';
import type { RuleDocument } from '../rules/rule-document.js';
import { LANGUAGES, type Language } from '../rules/sentence/language.js';
import {
  type Change,
  type Changes,
  diffRules,
  type RuleDiff,
  type SaidSet,
} from '../rules/sentence/rule-diff.js';
import { saidSetOf } from '../rules/sentence/said-set.js';
import { diffWords } from '../rules/sentence/word-diff.js';
import { type Admin, type AdminPlace, withAdmin } from './admin.js';
import { print } from './output.js';
import { refuse, wrongUse } from './refuse.js';
import { ruleDiffText } from './rule-diff-text.js';
import { loadRuleSet } from './rules-folder.js';

export interface DiffOptions extends AdminPlace {
  readonly rules?: string | undefined;
  readonly live: boolean;
  readonly lang?: Language | undefined;
  readonly json: boolean;
}

/** Where a rule set is: in a folder, or stored under a hash or as `live`. */
type Source = { readonly folder: string } | { readonly stored: string };

interface NamedSet extends SaidSet {
  readonly hash: string;
}

/**
 * `aftersign rules show [name] --diff A B`: what differs between two rule sets, as sentences with the changed words
 * marked. Exit code 0 also when they differ; 1 when one of them cannot be read.
 */
export async function showRuleDiff(
  name: string | undefined,
  sets: readonly string[],
  options: DiffOptions,
): Promise<number> {
  const [one, other] = sets;
  if (one === undefined || other === undefined || sets.length > 2)
    return wrongUse('--diff takes two rule sets: folders, "live", or the first 6 or more digits of a hash');
  if (options.live || options.rules !== undefined)
    return wrongUse('--diff names both rule sets itself: leave out --live and --rules');
  const sources = [sourceOf(one), sourceOf(other)] as const;
  const unclear = sources.indexOf(null);
  if (unclear >= 0)
    return wrongUse(`"${sets[unclear] ?? ''}" is no folder, nor "live", nor 6 or more digits of a hash`);
  const [before, after] = sources as readonly [Source, Source];
  const compare = async (admin: Admin | null): Promise<number> => {
    const earlier = await read(before, admin);
    const later = earlier && (await read(after, admin));
    return later ? await show(name, earlier, later, options) : 1;
  };
  return 'stored' in before || 'stored' in after ? await withAdmin(options, compare) : await compare(null);
}

function sourceOf(text: string): Source | null {
  if (text === 'live') return { stored: text };
  if (statSync(text, { throwIfNoEntry: false })?.isDirectory()) return { folder: text };
  return /^[0-9a-f]{6,64}$/.test(text) ? { stored: text } : null;
}

async function read(source: Source, admin: Admin | null): Promise<NamedSet | null> {
  if ('folder' in source) {
    const ruleSet = await loadRuleSet(source.folder);
    return ruleSet && { hash: ruleSet.hash, ...(await saidSetOf(ruleSet)) };
  }
  const said = await admin?.ruleSets.said(source.stored);
  if (!said) return null;
  // As its loader has read them: there they were checked.
  const { rules, conditions } = said as unknown as SaidSet;
  return { hash: said.ruleSet, rules, conditions };
}

async function show(
  name: string | undefined,
  before: NamedSet,
  after: NamedSet,
  { lang, json }: DiffOptions,
): Promise<number> {
  if (name !== undefined && ![...before.rules, ...after.rules].some((rule) => rule.name === name))
    return refuse('RULE_UNKNOWN', `neither of the two rule sets has a rule "${name}"`);
  const all = diffRules(before, after);
  const diff = name === undefined ? all : onlyOf(name, all);
  if (json) {
    await print(`${JSON.stringify(jsonOf(before.hash, after.hash, diff))}\n`);
    return 0;
  }
  const text = ruleDiffText(diff, lang === undefined ? LANGUAGES : [lang]);
  await print(text === '' ? nothing(name, before, after) : text);
  return 0;
}

function onlyOf(
  name: string,
  { rules: { added, removed, changed, renamed }, conditions }: RuleDiff,
): RuleDiff {
  const isMeant = (one: { readonly name: string }): boolean => one.name === name;
  return {
    rules: {
      added: added.filter(isMeant),
      removed: removed.filter(isMeant),
      changed: changed.filter(isMeant),
      renamed: renamed.filter(({ from, to }) => from === name || to === name),
    },
    conditions: { ...conditions, added: [], removed: [], changed: [], renamed: [] },
  };
}

function nothing(name: string | undefined, before: NamedSet, after: NamedSet): string {
  if (before.hash === after.hash) return 'The two rule sets are the same. 两个规则集相同。\n';
  if (name !== undefined) return `The rule "${name}" is the same in both. 规则相同。\n`;
  return 'The rules and the named conditions are the same in both; another file, or the layout of one, differs. 规则相同，其他文件或排版不同。\n';
}

function jsonOf(before: string, after: string, { rules, conditions }: RuleDiff): object {
  return { before, after, rules: changesJson(rules), conditions: changesJson(conditions) };
}

function changesJson(changes: Changes<RuleDocument> | Changes<ConditionDocument>): object {
  const { added, removed, renamed } = changes;
  const changed: readonly Change<unknown>[] = changes.changed;
  return {
    added,
    removed,
    changed: changed.map((one) => ({
      name: one.name,
      before: { document: one.before.document, sentence: one.before.sentence },
      after: { document: one.after.document, sentence: one.after.sentence },
      words: {
        zh: diffWords(one.before.sentence.zh, one.after.sentence.zh),
        en: diffWords(one.before.sentence.en, one.after.sentence.en),
      },
    })),
    renamed,
  };
}
