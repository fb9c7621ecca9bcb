import { textOf } from '../check/json-node.js';
import type { Rule, RuleSet } from '../rule-set.js';
import { conditionMutants, type FieldAt, type MutantKind, type SourceChange } from './condition-mutants.js';
import { eventTypesOf, fieldFor } from './leaf-words.js';
import { otherDelays } from './other-values.js';
import {
  type ActionPart,
  actionsOf,
  elementsIn,
  partOf,
  type RuleSource,
  type SourcePart,
  stepsOf,
} from './rule-source.js';
import { replacing, type SourceEdit, withoutElement, withoutMember } from './source-edit.js';

/** A rule set that differs by one small change from the one that is tested. */
export interface Mutant {
  readonly kind: MutantKind;
  /** The rules whose meaning it changes: one, or all that use a named condition. */
  readonly rules: readonly string[];
  /** The named condition that is changed; null: it is in the rule. */
  readonly condition: string | null;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** As the end of a sentence: `status 3 (已完成 done) becomes 2 (已拒绝 rejected)`. */
  readonly words: string;
  readonly edit: SourceEdit;
}

/**
 * Every small change to the enabled rules of these names and to the named conditions that they use, in the order of
 * the files. Not every one is a sound file.
 */
export function mutantsOf(
  ruleSet: RuleSet,
  source: RuleSource,
  names: ReadonlySet<string>,
): readonly Mutant[] {
  const mutants = new Map<string, Mutant>();
  const add = (change: SourceChange, rules: readonly string[], condition: string | null): void => {
    const { file, offset, length, text } = change.edit;
    const key = JSON.stringify([file, offset, length, text]);
    if (mutants.has(key)) return;
    const { kind, words, edit, at } = change;
    const { line, column } = source.positionOf(at);
    mutants.set(key, { kind, rules, condition, file, line, column, words, edit });
  };
  const users = new Map<string, Rule[]>();
  for (const rule of ruleSet.rules) {
    const part = rule.enabled && names.has(rule.name) ? source.rule(rule.name, rule.file) : null;
    if (!part) continue;
    for (const change of new RuleMutants(source, fieldsOf(ruleSet, rule)).of(part))
      add(change, [rule.name], null);
    for (const name of conditionsUsed(part, source)) users.set(name, [...(users.get(name) ?? []), rule]);
  }
  for (const [name, rules] of users) {
    const part = source.condition(name);
    const [first] = rules;
    if (!part || !first) continue;
    for (const change of conditionMutants(part, source, fieldsOf(ruleSet, first)))
      add(
        change,
        rules.map((rule) => rule.name),
        name,
      );
  }
  return [...mutants.values()].sort(
    (a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column,
  );
}

function fieldsOf(ruleSet: RuleSet, rule: Rule): FieldAt {
  const eventTypes = eventTypesOf(rule, ruleSet.catalogue);
  return (place) => fieldFor(ruleSet, eventTypes, place);
}

/** All conditions of a rule: its own, what cancels its escalation, those of its actions. */
function conditionsIn(rule: SourcePart): readonly SourcePart[] {
  const parts = [partOf(rule, 'conditions'), partOf(rule, 'escalate', 'cancelOn')];
  return [...parts, ...actionsOf(rule).map((action) => partOf(action, 'when'))].filter(
    (part) => part !== null,
  );
}

/** The names of the named conditions that a rule uses, itself or through others. */
export function conditionsUsed(rule: SourcePart, source: RuleSource): ReadonlySet<string> {
  return new Set(conditionsIn(rule).flatMap((part) => [...source.namesIn(part)]));
}

class RuleMutants {
  constructor(
    private readonly source: RuleSource,
    private readonly fieldAt: FieldAt,
  ) {}

  of(rule: SourcePart): readonly SourceChange[] {
    return [
      ...conditionsIn(rule).flatMap((part) => conditionMutants(part, this.source, this.fieldAt)),
      ...actionsOf(rule).flatMap((action) => this.ofAction(rule, action)),
      ...this.ofEscalation(rule),
      ...this.ofGates(rule),
    ];
  }

  private ofAction(rule: SourcePart, action: ActionPart): readonly SourceChange[] {
    const { name, step } = action;
    const called = `action "${name}"${step === null ? '' : ` of the step "${step}"`}`;
    const edit = this.withoutAction(rule, action);
    const when = partOf(action, 'when');
    return [
      ...(edit
        ? [{ kind: 'action-dropped' as const, at: action, edit, words: `${called} is left out` }]
        : []),
      ...(when
        ? [
            {
              kind: 'when-dropped' as const,
              at: when,
              edit: withoutMember(action, 'when', this.source),
              words: `"when" of the ${called} is left out`,
            },
          ]
        : []),
    ];
  }

  /** Null: without it nothing would be left to do. */
  private withoutAction(rule: SourcePart, action: ActionPart): SourceEdit | null {
    const owner =
      action.step === null
        ? rule
        : stepsOf(rule).find(({ name, node }) => name === action.step && holds(node, action));
    const list = owner ? partOf(owner, 'actions') : null;
    if (list && elementsIn(list).length > 1) return withoutElement(list, action.node, this.source);
    if (action.step !== null || !partOf(rule, 'escalate')) return null;
    return withoutMember(rule, list ? 'actions' : 'event', this.source);
  }

  private ofEscalation(rule: SourcePart): readonly SourceChange[] {
    const escalate = partOf(rule, 'escalate');
    const list = partOf(rule, 'escalate', 'steps');
    if (!escalate || !list) return [];
    const steps = stepsOf(rule);
    const acts = actionsOf(rule).some(({ step }) => step === null);
    const cancelOn = partOf(escalate, 'cancelOn');
    return [
      ...steps.flatMap((step): SourceChange[] => {
        const edit =
          steps.length > 1
            ? withoutElement(list, step.node, this.source)
            : acts
              ? withoutMember(rule, 'escalate', this.source)
              : null;
        const words = `the step "${step.name}" is left out`;
        return [
          ...(edit ? [{ kind: 'step-dropped' as const, at: step, edit, words }] : []),
          ...this.shifted(step),
        ];
      }),
      ...(cancelOn
        ? [
            {
              kind: 'cancel-on-dropped' as const,
              at: cancelOn,
              edit: withoutMember(escalate, 'cancelOn', this.source),
              words: '"cancelOn" is left out',
            },
          ]
        : []),
    ];
  }

  private shifted(step: SourcePart): readonly SourceChange[] {
    const after = partOf(step, 'after');
    const text = textOf(after?.node);
    if (!after || text === null) return [];
    // A step is called by its "after" when it has no name: it keeps what it was called, if that can be a name.
    const named = partOf(step, 'name') === null && /^[a-z0-9][a-z0-9._-]{0,63}$/.test(text);
    const name = named ? `, "name": ${JSON.stringify(text)}` : '';
    return otherDelays(text).map((by) => ({
      kind: 'step-shifted',
      at: after,
      edit: replacing(after, `${JSON.stringify(by)}${name}`),
      words: `"after" ${JSON.stringify(text)} becomes ${JSON.stringify(by)}`,
    }));
  }

  private ofGates(rule: SourcePart): readonly SourceChange[] {
    const gates = [
      ['throttle', 'throttle-dropped'],
      ['quietHours', 'quiet-hours-dropped'],
      ['digest', 'digest-dropped'],
      ['budget', 'budget-dropped'],
    ] as const;
    const oncePer = partOf(rule, 'oncePer');
    const per = textOf(oncePer?.node);
    return [
      ...(oncePer && per !== 'event'
        ? [
            {
              kind: 'once-per-dropped' as const,
              at: oncePer,
              edit: withoutMember(rule, 'oncePer', this.source),
              words: `"oncePer" ${JSON.stringify(per)} becomes "event"`,
            },
          ]
        : []),
      ...gates.flatMap(([key, kind]): SourceChange[] => {
        const at = partOf(rule, key);
        if (!at) return [];
        return [{ kind, at, edit: withoutMember(rule, key, this.source), words: `"${key}" is left out` }];
      }),
    ];
  }
}

function holds(node: SourcePart['node'], part: SourcePart): boolean {
  return part.node.offset >= node.offset && part.node.offset < node.offset + node.length;
}
