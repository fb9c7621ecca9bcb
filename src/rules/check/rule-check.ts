import type { RuleDocument } from '../rule-document.js';
import { type ActionForm, readAction } from './action-check.js';
import { readActions } from './action-list.js';
import { checkAsking } from './asking-check.js';
import { checkCalendarNeed } from './calendar-need.js';
import { type ConditionForm, ConditionReader, documentOf, type ReferenceForm } from './condition-form.js';
import { EscalateReader } from './escalate-check.js';
import type { FileReport } from './file-report.js';
import { type Member, membersOf, textOf } from './json-node.js';
import type { JsonNode } from './json-text.js';
import { readEffective } from './effective-check.js';
import { nearestName } from './nearest-name.js';
import { checkKeys } from './object-keys.js';
import type { RuleMode } from '../shadow.js';
import type { KnownEvents, RuleEvents } from './rule-events.js';
import { readShadow, type TwinForm } from './shadow-check.js';
import { checkTexts } from './rule-texts.js';
import { member, RuleValues } from './rule-values.js';
import { checkCancelOn, checkScheduledConditions } from './schedule-reads.js';
import { readItem, TimingReader } from './timing-check.js';
import { readTriggerForm, type TriggerForm } from './trigger-check.js';

/** All others, but for `event` of json-rules-engine's own shape. */
export const RULE_KEYS = [
  '$schema',
  'name',
  'description',
  'owner',
  'labels',
  'enabled',
  'mode',
  'shadowOf',
  'effective',
  'priority',
  'trigger',
  'calendar',
  'timezone',
  'conditions',
  'oncePer',
  'settle',
  'throttle',
  'budget',
  'digest',
  'quietHours',
  'actions',
  'escalate',
];
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Conditions of a rule. They are still to be checked against the events that they are asked of. */
export interface ConditionsForm {
  /** How messages name them. */
  readonly what: string;
  /** Null: too much is wrong with them. */
  readonly form: ConditionForm | null;
  readonly at: JsonNode;
  readonly references: readonly ReferenceForm[];
  readonly events: RuleEvents;
}

/** A rule as far as it could be read. */
export interface RuleForm {
  readonly node: JsonNode;
  readonly report: FileReport;
  /** Null when it is missing or wrong. */
  readonly name: string | null;
  readonly nameAt: JsonNode;
  /** What it shadows; null: it is a live rule, or names none. */
  readonly twin: TwinForm | null;
  readonly mode: RuleMode;
  /** Its own, what cancels its escalation, and those of its actions. */
  readonly conditions: readonly ConditionsForm[];
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
      known: [...RULE_KEYS, ...(hasEvent ? ['event'] : [])],
      required: [
        'name',
        'conditions',
        ...(isOwnShape ? [] : ['trigger']),
        ...(isOwnShape || (escalates(given) && !given.has('actions')) ? [] : ['actions']),
      ],
    },
    report,
  );
  const read = new RuleReader(members, known, report);
  const about = read.about();
  const shadow = readShadow(read.values, report);
  const trigger = read.trigger(node, isOwnShape);
  const { events } = trigger;
  const conditionsAt = members.get('conditions')?.value;
  const reader = new ConditionReader(report);
  const form = conditionsAt ? reader.readRoot(conditionsAt) : null;
  const own = isOwnShape ? read.ownShapeActions(node) : read.actions();
  if (hasEvent && !isOwnShape) {
    report.error(
      given.get('event')?.key ?? node,
      'RULE_EVENT_BESIDE_ACTIONS',
      '"event" and "actions" stand side by side',
      'Keep "actions".',
    );
  }
  const timing = new TimingReader(read.values, trigger, about.owner, known, report).read();
  const escalateAt = members.get('escalate')?.value;
  const escalate = escalateAt ? new EscalateReader(escalateAt, trigger, known, report).read() : null;
  const gathers = members.has('digest');
  const texts = { own, steps: escalate?.actions ?? [], gathers, item: read.item() };
  checkTexts(texts, about, trigger, known, report);
  const whens = checkAsking(own, escalate?.actions ?? [], { gathers, trigger }, report);
  if (trigger.scheduled)
    for (const one of [form, ...whens.map((when) => when.form)]) checkScheduledConditions(one, report);
  checkCancelOn(escalate?.cancelOn?.form ?? null, report);
  const calendar = about.calendar ?? trigger.calendar ?? escalate?.calendar ?? timing.quietHours?.calendar;
  if (calendar === undefined)
    checkCalendarNeed(
      escalate?.working ?? null,
      [form, escalate?.cancelOn?.form ?? null, ...whens.map((when) => when.form)],
      report,
    );
  const conditions: readonly ConditionsForm[] = [
    { what: 'the rule', form, at: conditionsAt ?? node, references: reader.references, events },
    ...(escalate?.cancelOn
      ? [{ what: '"cancelOn"', ...escalate.cancelOn, events: known.around(events) }]
      : []),
    ...whens.map((when) => ({ ...when, events })),
  ];
  return {
    node,
    report,
    name: about.name ?? null,
    nameAt: members.get('name')?.value ?? node,
    twin: shadow.twin,
    mode: shadow.mode,
    conditions,
    broken: report.errorCount > errorsBefore,
    document: () => ({
      ...about,
      ...shadow.members,
      name: about.name ?? '',
      enabled: about.enabled ?? true,
      priority: about.priority ?? 1,
      trigger: trigger.types,
      conditions: documentOf(form as ConditionForm),
      actions: own.flatMap(({ document }) => document ?? []),
      ...(trigger.schedule ? { schedule: trigger.schedule } : {}),
      ...timing,
      ...(escalate ? { escalate: escalate.document() } : {}),
    }),
  };
}

/** Whether there is an escalation, also by a slip of the pen: then actions may be missing. */
function escalates(given: ReadonlyMap<string, Member>): boolean {
  return [...given.keys()].some((key) => key === 'escalate' || nearestName(key, ['escalate']) !== null);
}

type About = {
  -readonly [
    Key in
      | 'name'
      | 'description'
      | 'owner'
      | 'labels'
      | 'enabled'
      | 'effective'
      | 'priority'
      | 'calendar'
      | 'timezone'
  ]?: RuleDocument[Key];
};

class RuleReader {
  readonly values: RuleValues;

  constructor(
    private readonly members: ReadonlyMap<string, Member>,
    private readonly known: KnownEvents,
    private readonly report: FileReport,
  ) {
    this.values = new RuleValues(members, report, known.calendars);
  }

  /** Everything that is said about the rule; what is wrong is left out. */
  about(): About {
    const { values } = this;
    const name = values.text('name', Infinity);
    const nameAt = values.at('name');
    const isName = name !== undefined && NAME.test(name);
    if (nameAt && name !== undefined && !isName) {
      values.invalid(
        nameAt,
        '"name" must be 1 to 64 characters of a-z 0-9 . _ - and start with a letter or digit',
        'Change the name.',
      );
    }
    values.text('$schema', 2000);
    const description = values.text('description', 2000);
    const owner = values.text('owner', 200);
    const labels = this.labels();
    const enabled = values.boolean('enabled');
    const effective = values.at('effective');
    return {
      ...(isName ? { name } : {}),
      ...member('description', description),
      ...member('owner', owner),
      ...member('labels', labels),
      ...member('enabled', enabled),
      ...(effective ? { effective: readEffective(effective, this.report) } : {}),
      ...member('priority', values.wholeNumber('priority', 1)),
      ...member('calendar', values.calendar()),
      ...member('timezone', values.timezone()),
    };
  }

  trigger(rule: JsonNode, isOwnShape: boolean): TriggerForm {
    const node = this.values.at('trigger');
    if (node) return readTriggerForm(node, this.known, this.report);
    if (isOwnShape) {
      this.report.info(
        rule,
        'TRIGGER_MISSING',
        'there is no "trigger": the rule listens to every event type',
        'Add "trigger" with the event types that are meant.',
      );
    }
    const types = isOwnShape ? ['*'] : [];
    return { types, events: this.known.of(types), scheduled: false, schedule: null, calendar: undefined };
  }

  actions(): readonly ActionForm[] {
    const list = this.values.at('actions');
    return list ? readActions(list, 'rule', this.report) : [];
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

  /** The template of a digest's items. */
  item(): ReturnType<typeof readItem> {
    const digest = this.values.at('digest');
    return digest?.type === 'object' ? readItem(membersOf(digest).get('item')?.value, this.report) : null;
  }

  private labels(): Readonly<Record<string, string>> | undefined {
    const node = this.values.at('labels');
    if (!node) return undefined;
    if (node.type !== 'object') {
      this.values.invalid(node, '"labels" must be an object of texts', 'Write {"team": "payroll"}.');
      return undefined;
    }
    const labels: [string, string][] = [];
    for (const [label, { value }] of membersOf(node)) {
      const text = textOf(value);
      if (text === null)
        this.values.invalid(value, `the label "${label}" must be a text`, 'Write it in quotes.');
      else labels.push([label, text]);
    }
    return Object.fromEntries(labels);
  }
}
