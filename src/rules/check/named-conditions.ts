import type { ConditionDocument } from '../condition-document.js';
import { type ConditionForm, ConditionReader, documentOf, type ReferenceForm } from './condition-form.js';
import type { FileReport } from './file-report.js';
import { membersOf } from './json-node.js';
import type { JsonNode } from './json-text.js';
import { didYouMean } from './nearest-name.js';

/** With the named conditions put in their places, conditions may have so many leaves and levels. */
const MOST_LEAVES = 1000;
const MOST_LEVELS = 100;
/** Counting stops here: doubling a few dozen times would leave every number behind. */
const COUNTED_AT_MOST = 1_000_000_000;

/** One named condition: what stands under its name in a `*.conditions.json`. */
export interface NamedCondition {
  readonly name: string;
  readonly key: JsonNode;
  readonly report: FileReport;
  readonly form: ConditionForm | null;
  readonly references: readonly ReferenceForm[];
  /** Something refers to it. */
  used: boolean;
  /** An error stands in it. */
  broken: boolean;
  /** It cannot be expanded: it contains itself, or is too large. */
  endless: boolean;
  size: Size;
  /** The sets of event types that its facts have been checked with. */
  readonly checkedWith: Set<string>;
  /** What was reported of its facts: it is looked at once for each set of event types. */
  readonly reported: Set<string>;
}

/** How much conditions hold when the named ones are put in their places. */
export interface Size {
  readonly leaves: number;
  readonly levels: number;
}

/** So many circles are described; a file that holds more has been heard. */
const MOST_CIRCLES = 1000;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** The named conditions of all files. Nothing is ever expanded here: sizes are counted once per name. */
export class NamedConditions {
  private readonly byName = new Map<string, NamedCondition>();

  /** Reads one `*.conditions.json`. */
  read(root: JsonNode, report: FileReport): void {
    if (root.type !== 'object') {
      report.error(
        root,
        'RULE_VALUE_INVALID',
        'a file of named conditions must be an object',
        'Write {"name": {"all": [ … ]}}.',
      );
      return;
    }
    for (const [name, { key, value }] of membersOf(root)) {
      if (name === '$schema') continue;
      if (!NAME.test(name)) {
        report.error(
          key,
          'RULE_KEY_INVALID',
          `"${name}" is no name for a condition: it must be 1 to 64 letters, digits, . _ - and start with a letter or digit`,
          'Change the name.',
        );
      }
      const other = this.byName.get(name);
      if (other) {
        report.error(
          key,
          'CONDITION_NAME_TWICE',
          `a condition named "${name}" stands in ${other.report.file} already`,
          'Give one of them another name.',
        );
      }
      const errorsBefore = report.errorCount;
      const reader = new ConditionReader(report);
      const form = reader.read(value);
      const condition: NamedCondition = {
        name,
        key,
        report,
        form,
        references: reader.references,
        used: false,
        broken: form === null || report.errorCount > errorsBefore,
        endless: false,
        size: { leaves: 1, levels: 1 },
        checkedWith: new Set(),
        reported: new Set(),
      };
      if (!other) this.byName.set(name, condition);
    }
  }

  find(name: string): NamedCondition | null {
    return this.byName.get(name) ?? null;
  }

  /** Reports what the names refer to that does not exist, circles, and what would grow without bound. */
  check(): void {
    const state = new Map<NamedCondition, 'open' | 'done'>();
    let circles = 0;
    for (const start of this.byName.values()) {
      if (state.has(start)) continue;
      // Without recursion: a chain of names may be longer than the stack is deep.
      const path: { readonly condition: NamedCondition; next: number }[] = [{ condition: start, next: 0 }];
      state.set(start, 'open');
      for (let top = path.at(-1); top; top = path.at(-1)) {
        const reference = top.condition.references[top.next];
        top.next += 1;
        if (reference === undefined) {
          this.measure(top.condition);
          state.set(top.condition, 'done');
          path.pop();
          continue;
        }
        const target = this.resolve(reference, top.condition.report);
        if (!target) {
          top.condition.broken = true;
        } else if (!state.has(target)) {
          state.set(target, 'open');
          path.push({ condition: target, next: 0 });
        } else if (state.get(target) === 'open') {
          top.condition.endless = true;
          target.endless = true;
          circles += 1;
          if (circles > MOST_CIRCLES) continue;
          const circle = path.slice(path.findIndex(({ condition }) => condition === target));
          reportCircle(
            circle.map(({ condition }) => condition),
            reference,
          );
        }
      }
    }
  }

  /** The condition that is meant; reports when there is none. */
  resolve(reference: ReferenceForm, report: FileReport): NamedCondition | null {
    const found = this.byName.get(reference.condition);
    if (found) {
      found.used = true;
      return found;
    }
    report.error(
      reference.at,
      'CONDITION_UNKNOWN',
      `there is no named condition "${reference.condition}"`,
      () =>
        this.byName.size > 0
          ? didYouMean(reference.condition, { [Symbol.iterator]: () => this.byName.keys() })
          : 'Named conditions stand in a file like common.conditions.json: {"name": {"all": [ … ]}}.',
    );
    return null;
  }

  sizeOf(form: ConditionForm): Size {
    switch (form.kind) {
      case 'leaf':
        return { leaves: 1, levels: 0 };
      case 'condition': {
        const size = this.byName.get(form.condition)?.size ?? { leaves: 1, levels: 0 };
        return { leaves: size.leaves, levels: size.levels + 1 };
      }
      case 'all':
      case 'any':
      case 'not': {
        let leaves = 0;
        let levels = 0;
        for (const child of form.children) {
          const size = this.sizeOf(child);
          leaves = Math.min(leaves + size.leaves, COUNTED_AT_MOST);
          levels = Math.max(levels, size.levels);
        }
        return { leaves, levels: levels + 1 };
      }
    }
  }

  /** Whether one of the references cannot be expanded, which has been reported where it stands. */
  leadsToEndless(references: readonly ReferenceForm[]): boolean {
    return references.some(({ condition }) => this.byName.get(condition)?.endless);
  }

  private measure(condition: NamedCondition): void {
    if (!condition.form) return;
    condition.size = this.sizeOf(condition.form);
    if (condition.endless) return;
    if (this.leadsToEndless(condition.references)) condition.endless = true;
    else if (isTooLarge(condition.size)) {
      condition.endless = true;
      condition.broken = true;
      condition.report.error(
        condition.key,
        'CONDITIONS_TOO_LARGE',
        tooLarge(`the condition "${condition.name}"`, condition.size),
        'Write it smaller; the same condition need not be asked several times.',
      );
    }
  }

  /** Those that no rule leads to. */
  unchecked(): readonly NamedCondition[] {
    return [...this.byName.values()].filter(({ checkedWith }) => checkedWith.size === 0);
  }

  reportUnused(): void {
    for (const { name, key, report, used } of this.byName.values()) {
      if (used) continue;
      report.warning(
        key,
        'CONDITION_UNUSED',
        `no rule uses the condition "${name}"`,
        `Write {"condition": "${name}"} where it belongs, or remove it.`,
      );
    }
  }

  /** The names whose conditions hold an error, or use one that does. */
  unsound(): ReadonlySet<string> {
    const usedBy = new Map<string, string[]>();
    for (const { name, references } of this.byName.values()) {
      for (const { condition } of references) {
        const users = usedBy.get(condition);
        if (users) users.push(name);
        else usedBy.set(condition, [name]);
      }
    }
    const waiting = [...this.byName.values()]
      .filter((one) => one.broken || one.endless)
      .map(({ name }) => name);
    const found = new Set(waiting);
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      for (const user of usedBy.get(name) ?? []) {
        if (found.has(user)) continue;
        found.add(user);
        waiting.push(user);
      }
    }
    return found;
  }

  /** The sound ones, by name. */
  documents(): Readonly<Record<string, ConditionDocument>> {
    const unsound = this.unsound();
    return Object.fromEntries(
      [...this.byName.values()].flatMap(({ name, form }) =>
        form && !unsound.has(name) ? [[name, documentOf(form)] as const] : [],
      ),
    );
  }
}

export function isTooLarge({ leaves, levels }: Size): boolean {
  return leaves > MOST_LEAVES || levels > MOST_LEVELS;
}

export function tooLarge(what: string, { leaves, levels }: Size): string {
  const grown =
    leaves > MOST_LEAVES
      ? `${leaves >= COUNTED_AT_MOST ? 'more than a thousand million' : leaves} leaves (${MOST_LEAVES} at most)`
      : `${levels} levels (${MOST_LEVELS} at most)`;
  return `with its named conditions put in their places, ${what} has ${grown}`;
}

function reportCircle(circle: readonly NamedCondition[], closing: ReferenceForm): void {
  for (const condition of circle) {
    condition.endless = true;
    condition.broken = true;
  }
  const names = [...circle.map(({ name }) => name), closing.condition];
  const shown = names.length > 12 ? [...names.slice(0, 6), '…', ...names.slice(-5)] : names;
  circle
    .at(-1)
    ?.report.error(
      closing.at,
      'CONDITIONS_CIRCULAR',
      `the condition contains itself: ${shown.join(' → ')}`,
      'Break the circle.',
    );
}
