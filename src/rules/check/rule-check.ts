import type { RuleDocument } from '../rule-document.js';
import { type ActionForm, readAction } from './action-check.js';
import { type ConditionForm, ConditionReader, documentOf, type ReferenceForm } from './condition-form.js';
import type { FileReport } from './file-report.js';
import { elementsOf, type Member, membersOf, textOf } from './json-node.js';
import type { JsonNode } from './json-text.js';
import { readEffective } from './effective-check.js';
import { checkLookupReads } from './lookup-reads.js';
import { checkKeys } from './object-keys.js';
import { type KnownEvents, readTrigger, type RuleEvents } from './rule-events.js';
import { checkReads } from './template-reads.js';

/** Keys of the rule language that this version does not act upon. Refused, never ignored: each changes what is sent. */
const LATER_KEYS = [
  'mode',
  'shadowOf',
  'escalate',
  'settle',
  'throttle',
  'digest',
  'quietHours',
  'budget',
  'oncePer',
];
const ABOUT_KEYS = [
  '$schema',
  'name',
  'description',
  'owner',
  'labels',
  'enabled',
  'effective',
  'priority',
  'trigger',
];
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** A rule as far as it could be read. Its conditions are still to be checked against what it listens to. */
export interface RuleForm {
  readonly node: JsonNode;
  readonly report: FileReport;
  /** Null when it is missing or wrong. */
  readonly name: string | null;
  readonly nameAt: JsonNode;
  readonly events: RuleEvents;
  readonly conditions: ConditionForm | null;
  readonly conditionsAt: JsonNode;
  readonly references: readonly ReferenceForm[];
  /** Whether anything was wrong when it was read. */
  readonly broken: boolean;
  /** The document; to be used only when nothing is wrong with the rule. */
  document(): RuleDocument;
}

/** Reads one rule and reports what is wrong with it, but for what its conditions say of facts and of other names. */
export function readRule(node: JsonNode, known: KnownEvents, report: FileReport): RuleForm {
  const errorsBefore = report.errorCount;
  const given = membersOf(node);
  report.rule = textOf(given.get('name')?.value);
  const hasEvent = given.has('event');
  const isOwnShape = hasEvent && !given.has('actions');
  const members = checkKeys(
    node,
    {
      prefix: 'RULE',
      known: [...ABOUT_KEYS, 'conditions', 'actions', ...(hasEvent ? ['event'] : [])],
      required: ['name', 'conditions', ...(isOwnShape ? [] : ['trigger', 'actions'])],
      later: LATER_KEYS,
    },
    report,
  );
  const read = new RuleReader(members, report);
  const about = read.about();
  const triggerAt = members.get('trigger')?.value;
  const trigger = triggerAt ? readTrigger(triggerAt, known, report) : isOwnShape ? ['*'] : [];
  if (!triggerAt && isOwnShape) {
    report.info(
      node,
      'TRIGGER_MISSING',
      'there is no "trigger": the rule listens to every event type',
      'Add "trigger" with the event types that are meant.',
    );
  }
  const events = known.of(trigger);
  const reader = new ConditionReader(report);
  const conditionsAt = members.get('conditions')?.value ?? node;
  const conditions = members.has('conditions') ? reader.readRoot(conditionsAt) : null;
  const actions = isOwnShape ? read.ownShapeActions(node) : read.actions();
  if (hasEvent && !isOwnShape) {
    report.error(
      given.get('event')?.key ?? node,
      'RULE_EVENT_BESIDE_ACTIONS',
      '"event" and "actions" stand side by side',
      'Keep "actions".',
    );
  }
  for (const action of actions) checkReads(action, about, events, report);
  for (const key of ['actions', 'event']) checkLookupReads(members.get(key)?.value, events, report);
  return {
    node,
    report,
    name: about.name ?? null,
    nameAt: members.get('name')?.value ?? node,
    events,
    conditions,
    conditionsAt,
    references: reader.references,
    broken: report.errorCount > errorsBefore,
    document: () => ({
      ...about,
      name: about.name ?? '',
      enabled: about.enabled ?? true,
      priority: about.priority ?? 1,
      trigger,
      conditions: documentOf(conditions as ConditionForm),
      actions: actions.flatMap(({ document }) => document ?? []),
    }),
  };
}

type About = {
  -readonly [
    Key in 'name' | 'description' | 'owner' | 'labels' | 'enabled' | 'effective' | 'priority'
  ]?: RuleDocument[Key];
};

class RuleReader {
  constructor(
    private readonly members: ReadonlyMap<string, Member>,
    private readonly report: FileReport,
  ) {}

  /** Everything that is said about the rule; what is wrong is left out. */
  about(): About {
    const name = this.text('name', 64);
    const nameAt = this.members.get('name')?.value;
    const isName = name !== undefined && NAME.test(name);
    if (nameAt && name !== undefined && !isName) {
      this.invalid(
        nameAt,
        '"name" must be 1 to 64 characters of a-z 0-9 . _ - and start with a letter or digit',
        'Change the name.',
      );
    }
    this.text('$schema', 2000);
    const about: About = {};
    if (isName) about.name = name;
    const description = this.text('description', 2000);
    if (description !== undefined) about.description = description;
    const owner = this.text('owner', 200);
    if (owner !== undefined) about.owner = owner;
    const labels = this.labels();
    if (labels !== undefined) about.labels = labels;
    const enabled = this.members.get('enabled')?.value;
    if (enabled?.type === 'boolean') about.enabled = enabled.value as boolean;
    else if (enabled)
      this.invalid(enabled, '"enabled" must be true or false', 'Write true or false, without quotes.');
    const effective = this.members.get('effective')?.value;
    if (effective) about.effective = readEffective(effective, this.report);
    const priority = this.priority();
    if (priority !== undefined) about.priority = priority;
    return about;
  }

  actions(): readonly ActionForm[] {
    const list = this.members.get('actions')?.value;
    if (!list) return [];
    if (list.type !== 'array') {
      this.invalid(list, '"actions" must be a list of actions', 'Write [ … ] around it.');
      return list.type === 'object' ? this.read([list]) : [];
    }
    if (elementsOf(list).length === 0)
      this.invalid(list, '"actions" must not be empty', 'Write an action into it.');
    return this.read(elementsOf(list));
  }

  /** `event {type, params}`: the type is the kind of the one action, the params are its keys. */
  ownShapeActions(rule: JsonNode): readonly ActionForm[] {
    const event = this.members.get('event')?.value ?? rule;
    const mend = 'Write {"type": "http", "params": {"url": "https://…"}}.';
    if (event.type !== 'object') {
      this.report.error(event, 'RULE_EVENT_INVALID', '"event" must be an object', mend);
      return [];
    }
    const members = checkKeys(
      event,
      { prefix: 'RULE', known: ['type', 'params'], required: [] },
      this.report,
    );
    const type = members.get('type');
    const params = members.get('params')?.value;
    if (!type || type.value.type !== 'string')
      this.report.error(
        type?.value ?? event,
        'RULE_EVENT_INVALID',
        '"event" needs a "type": http or email',
        mend,
      );
    if (params?.type !== 'object') {
      this.report.error(
        params ?? event,
        'RULE_EVENT_INVALID',
        '"event" needs "params", an object with the keys of the action',
        mend,
      );
      return [];
    }
    if (!type || type.value.type !== 'string') return [];
    return [readAction(params, this.report, type)].filter((action) => action !== null);
  }

  private read(nodes: readonly JsonNode[]): readonly ActionForm[] {
    const names = new Set<string>();
    return nodes.flatMap((node) => {
      const action = readAction(node, this.report);
      if (!action) return [];
      if (action.name !== null && names.has(action.name)) {
        this.report.error(
          action.nameAt,
          'ACTION_NAME_TWICE',
          `the rule has another action named "${action.name}"`,
          'Give one of them another name.',
        );
      }
      names.add(action.name ?? '');
      return action;
    });
  }

  private text(key: string, most: number): string | undefined {
    const node = this.members.get(key)?.value;
    if (!node) return undefined;
    const text = textOf(node);
    if (text === null) this.invalid(node, `"${key}" must be a text`, 'Write it in quotes.');
    else if (text.length > most && key !== 'name')
      this.invalid(node, `"${key}" must not be longer than ${most} characters`, 'Shorten it.');
    return text ?? undefined;
  }

  private labels(): Readonly<Record<string, string>> | undefined {
    const node = this.members.get('labels')?.value;
    if (!node) return undefined;
    if (node.type !== 'object') {
      this.invalid(node, '"labels" must be an object of texts', 'Write {"team": "payroll"}.');
      return undefined;
    }
    const labels: [string, string][] = [];
    for (const [label, { value }] of membersOf(node)) {
      const text = textOf(value);
      if (text === null) this.invalid(value, `the label "${label}" must be a text`, 'Write it in quotes.');
      else labels.push([label, text]);
    }
    return Object.fromEntries(labels);
  }

  private priority(): number | undefined {
    const node = this.members.get('priority')?.value;
    if (!node || this.report.json.unsafe.has(node)) return undefined;
    const number = node.type === 'number' ? (node.value as number) : NaN;
    if (Number.isInteger(number) && number >= 1) return number;
    this.invalid(node, '"priority" must be a whole number of 1 or more', 'Change it, or remove it.');
    return undefined;
  }

  private invalid(at: JsonNode, message: string, mend: string): void {
    this.report.error(at, 'RULE_VALUE_INVALID', message, mend);
  }
}
