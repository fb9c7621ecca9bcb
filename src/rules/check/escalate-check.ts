import type { RuleDuration } from '../calendar/work-duration.js';
import type { EscalateDocument, EscalationStepDocument } from '../rule-document.js';
import { LEVELS } from '../state/root-state.js';
import type { ActionForm } from './action-check.js';
import { readActions } from './action-list.js';
import type { WorkingTime } from './calendar-need.js';
import { ConditionReader, type ConditionForm, documentOf, type ReferenceForm } from './condition-form.js';
import type { FileReport } from './file-report.js';
import { elementsOf } from './json-node.js';
import type { JsonNode } from './json-text.js';
import { checkKeys } from './object-keys.js';
import type { KnownEvents } from './rule-events.js';
import { member, RuleValues } from './rule-values.js';
import { checkLevel, type TriggerForm } from './trigger-check.js';

/** An `escalate` as far as it could be read. */
export interface EscalateForm {
  /** Of all steps. */
  readonly actions: readonly ActionForm[];
  readonly calendar: string | undefined;
  /** The first step that counts working time. */
  readonly working: WorkingTime | null;
  readonly cancelOn: {
    readonly form: ConditionForm | null;
    readonly at: JsonNode;
    readonly references: readonly ReferenceForm[];
  } | null;
  /** To be used only when nothing is wrong with the rule. */
  document(): EscalateDocument;
}

interface StepForm {
  readonly name: string | undefined;
  readonly nameAt: JsonNode;
  readonly after: { readonly text: string; readonly duration: RuleDuration } | undefined;
  readonly afterAt: JsonNode;
  readonly actions: readonly ActionForm[];
}

const KEYS = ['per', 'steps', 'cancelOn', 'confirm', 'calendar', 'timezone'];
const EXAMPLE = 'Write {"per": "task", "steps": [{"after": "24h", "actions": [ … ]}]}.';
const MOST_STEPS = 20;
const MOST_DAYS = 366;
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
/** Whose tasks the platform can be asked about. */
const ASKED = 'corehr.process.';

/** Reads `escalate`; null when it is no object. */
export class EscalateReader {
  private readonly values: RuleValues;

  constructor(
    private readonly node: JsonNode,
    private readonly trigger: TriggerForm,
    private readonly known: KnownEvents,
    private readonly report: FileReport,
  ) {
    const members =
      node.type === 'object'
        ? checkKeys(node, { prefix: 'RULE', known: KEYS, required: ['per', 'steps'] }, report)
        : new Map<string, never>();
    this.values = new RuleValues(members, report, known.calendars);
  }

  read(): EscalateForm | null {
    const { node, values } = this;
    if (node.type !== 'object') {
      values.invalid(node, '"escalate" must be an object', EXAMPLE);
      return null;
    }
    if (this.trigger.scheduled) {
      this.report.error(
        node,
        'ESCALATE_BESIDE_SCHEDULE',
        '"escalate" cannot stand beside a schedule: it begins with an event',
        'Write a rule of its own for it, with event types as "trigger".',
      );
    }
    const per = values.choice('per', LEVELS);
    const perAt = values.at('per');
    if (per !== undefined && perAt && !this.trigger.scheduled)
      checkLevel('escalate', per, perAt, this.trigger, this.report);
    const calendar = values.calendar();
    const timezone = values.timezone();
    const confirm = values.boolean('confirm');
    this.checkConfirm(confirm);
    const steps = this.steps();
    const cancelAt = values.at('cancelOn');
    const reader = new ConditionReader(this.report);
    const cancelOn = cancelAt
      ? { form: reader.readRoot(cancelAt, 'cancelOn'), at: cancelAt, references: reader.references }
      : null;
    const working = steps.find(({ after }) => after && after.duration.kind !== 'time');
    return {
      actions: steps.flatMap(({ actions }) => actions),
      calendar,
      working: working?.after ? { text: working.after.text, at: working.afterAt } : null,
      cancelOn,
      document: () => ({
        per: per ?? 'process',
        ...member('calendar', calendar),
        ...member('timezone', timezone),
        steps: steps.map(stepOf),
        ...(cancelOn?.form ? { cancelOn: documentOf(cancelOn.form) } : {}),
        ...member('confirm', confirm),
      }),
    };
  }

  private checkConfirm(confirm: boolean | undefined): void {
    const at = this.values.at('confirm');
    const others = this.trigger.types.filter((type) => !type.startsWith(ASKED));
    if (!at || confirm !== true || this.trigger.scheduled || others.length === 0) return;
    this.values.invalid(
      at,
      `"confirm": the platform cannot be asked about events of the type ${others.join(', ')}`,
      `Remove it, or listen to ${ASKED}… only.`,
    );
  }

  private steps(): readonly StepForm[] {
    const node = this.values.at('steps');
    if (!node) return [];
    const list = elementsOf(node);
    if (node.type !== 'array' || list.length === 0 || list.length > MOST_STEPS) {
      const most = list.length > MOST_STEPS && node.type === 'array';
      this.values.invalid(
        node,
        most ? `there are more than ${MOST_STEPS} steps` : '"steps" must be a list of steps',
        most ? 'Remove some.' : 'Write [{"after": "24h", "actions": [ … ]}].',
      );
      if (node.type !== 'array' || most) return [];
    }
    const steps = list.flatMap((one) => this.step(one) ?? []);
    this.checkNames(steps);
    this.checkOrder(steps);
    return steps;
  }

  private step(node: JsonNode): StepForm | null {
    if (node.type !== 'object') {
      this.values.invalid(node, 'a step must be an object', 'Write {"after": "24h", "actions": [ … ]}.');
      return null;
    }
    const members = checkKeys(
      node,
      { prefix: 'RULE', known: ['name', 'after', 'actions'], required: ['after', 'actions'] },
      this.report,
    );
    const values = new RuleValues(members, this.report, this.known.calendars);
    const name = values.text('name', Infinity);
    const nameAt = values.at('name');
    if (nameAt && name !== undefined && !NAME.test(name)) {
      values.invalid(
        nameAt,
        '"name" must be 1 to 64 characters of a-z 0-9 . _ - and start with a letter or digit',
        'Change the name.',
      );
    }
    const after = values.duration('after');
    const afterAt = values.at('after') ?? node;
    if (after && !isWithin(after.duration)) {
      this.report.error(
        afterAt,
        'DURATION_INVALID',
        `"after" must be longer than nothing, and not longer than ${MOST_DAYS} days`,
        'Change the duration; what is sent at once stands in the actions of the rule.',
      );
    }
    const actionsAt = values.at('actions');
    const actions = actionsAt ? readActions(actionsAt, 'step', this.report) : [];
    return { name, nameAt: nameAt ?? afterAt, after, afterAt, actions };
  }

  /** The ledger of effects and the timers know steps by their names. */
  private checkNames(steps: readonly StepForm[]): void {
    const names = new Set<string>();
    for (const { name, nameAt, after } of steps) {
      const called = name ?? after?.text;
      if (called === undefined) continue;
      if (names.has(called)) {
        this.report.error(
          nameAt,
          'STEP_NAME_TWICE',
          `there is another step named "${called}"${name === undefined ? ': without a name, a step is called by its "after"' : ''}`,
          'Give one of them another "name".',
        );
      }
      names.add(called);
    }
  }

  private checkOrder(steps: readonly StepForm[]): void {
    for (const [index, { after, afterAt }] of steps.entries()) {
      const before = steps[index - 1]?.after;
      if (!after || !before || after.duration.kind !== before.duration.kind) continue;
      if (amountOf(after.duration) >= amountOf(before.duration)) continue;
      this.report.warning(
        afterAt,
        'STEPS_OUT_OF_ORDER',
        `the step is due before the one above it: "after" counts from the event, not from the step before`,
        'Change the duration, or put the steps into their order.',
      );
    }
  }
}

function stepOf({ name, after, actions }: StepForm): EscalationStepDocument {
  return {
    ...member('name', name),
    after: after?.text ?? '',
    actions: actions.flatMap(({ document }) => document ?? []),
  };
}

function amountOf(duration: RuleDuration): number {
  switch (duration.kind) {
    case 'time':
      return duration.ms;
    case 'work-time':
      return duration.minutes;
    case 'workdays':
      return duration.days;
  }
}

function isWithin(duration: RuleDuration): boolean {
  const day = { time: 86_400_000, 'work-time': 24 * 60, workdays: 1 }[duration.kind];
  const amount = amountOf(duration);
  return amount > 0 && amount <= MOST_DAYS * day;
}
