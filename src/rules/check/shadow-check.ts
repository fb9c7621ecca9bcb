import type { RuleDocument } from '../rule-document.js';
import { RULE_MODES, type RuleMode } from '../shadow.js';
import type { FileReport } from './file-report.js';
import type { JsonNode } from './json-text.js';
import { didYouMean } from './nearest-name.js';
import { member, type RuleValues } from './rule-values.js';

/** The live rule that a rule says it is compared with. */
export interface TwinForm {
  readonly name: string;
  readonly at: JsonNode;
}

/** What a rule says of how it applies. */
export interface ShadowForm {
  readonly mode: RuleMode;
  /** Null: none is named. It is still to be checked against the other rules. */
  readonly twin: TwinForm | null;
  /** Of its document; a live rule is one that says nothing. */
  readonly members: Pick<RuleDocument, 'mode' | 'shadowOf'>;
}

/** Reads `mode` and `shadowOf`. */
export function readShadow(values: RuleValues, report: FileReport): ShadowForm {
  const mode = values.choice('mode', RULE_MODES);
  const name = values.text('shadowOf', Infinity);
  const at = values.at('shadowOf');
  // Of a mode that is wrong it is not known which was meant.
  if (at && mode !== 'shadow' && (mode === 'live' || !values.has('mode')))
    report.error(
      at,
      'SHADOW_OF_LIVE',
      '"shadowOf" belongs to a rule in shadow mode, and this one is live',
      'Write "mode": "shadow" beside it, or remove it.',
    );
  return {
    mode: mode ?? 'live',
    twin: at && name !== undefined && mode === 'shadow' ? { name, at } : null,
    members: {
      ...(mode === 'shadow' ? { mode } : {}),
      ...member('shadowOf', mode === 'shadow' ? name : undefined),
    },
  };
}

/** Checks what rules in shadow mode are compared with, once all rules are read. */
export class ShadowTwins {
  private readonly modes = new Map<string, RuleMode>();
  private readonly twins: { readonly rule: string; readonly twin: TwinForm; readonly report: FileReport }[] =
    [];

  /** Answers whether the report is still needed. */
  note({
    name,
    mode,
    twin,
    report,
  }: {
    readonly name: string | null;
    readonly mode: RuleMode;
    readonly twin: TwinForm | null;
    readonly report: FileReport;
  }): boolean {
    if (name === null) return false;
    if (!this.modes.has(name)) this.modes.set(name, mode);
    if (twin) this.twins.push({ rule: name, twin, report });
    return twin !== null;
  }

  /** Answers the names of the rules with which something is wrong. `elsewhere`: whether a rule stands in a file of others. */
  check(elsewhere: (rule: string) => boolean): ReadonlySet<string> {
    const broken = new Set<string>();
    for (const { rule, twin, report } of this.twins) {
      const mode = this.modes.get(twin.name);
      if (twin.name !== rule && (mode === 'live' || (mode === undefined && elsewhere(twin.name)))) continue;
      broken.add(rule);
      report.rule = rule;
      if (twin.name === rule)
        report.error(
          twin.at,
          'SHADOW_OF_ITSELF',
          'a rule cannot be compared with itself',
          'Name the live rule that this one is to take the place of, or remove "shadowOf".',
        );
      else if (mode === undefined)
        report.error(twin.at, 'SHADOW_OF_UNKNOWN', `there is no rule named "${twin.name}"`, () =>
          didYouMean(
            twin.name,
            [...this.modes].flatMap(([name, of]) => (of === 'live' ? name : [])),
          ),
        );
      else
        report.error(
          twin.at,
          'SHADOW_OF_SHADOW',
          `the rule "${twin.name}" is in shadow mode itself`,
          'Name a live rule.',
        );
      report.rule = null;
    }
    return broken;
  }
}
