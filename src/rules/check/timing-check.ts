import { ActionCompiler } from '../../action/action-compiler.js';
import type {
  BudgetDocument,
  DigestDocument,
  OncePer,
  QuietHoursDocument,
  RuleDocument,
  ThrottleDocument,
} from '../rule-document.js';
import { parseHours } from '../quiet-hours.js';
import { LEVELS } from '../state/root-state.js';
import type { ActionForm } from './action-check.js';
import { checkFact, nameOfType } from './fact-check.js';
import type { FileReport } from './file-report.js';
import type { JsonNode } from './json-text.js';
import { checkKeys } from './object-keys.js';
import type { KnownEvents } from './rule-events.js';
import { member, RuleValues } from './rule-values.js';
import { checkLevel, type TriggerForm } from './trigger-check.js';

/** What stands about state and time beside `actions` and `escalate`; what is wrong is left out. */
export type TimingForm = Pick<
  RuleDocument,
  'oncePer' | 'settle' | 'throttle' | 'budget' | 'digest' | 'quietHours'
>;

const DAY = 86_400_000;
const SETTLE = { least: 0, most: 30 * DAY, said: 'up to 30d' };
const PER = { least: 1000, most: 31 * DAY, said: 'from 1s to 31d' };
const WINDOW = { least: 1000, most: 7 * DAY, said: 'from 1s to 7d' };
/** Each is kept until its time is over. */
const MOST_HITS = 1000;
const MOST_DELIVERIES = 1_000_000;
const ONCE_PER = ['event', ...LEVELS] as const satisfies readonly OncePer[];

/** Reads the keys that say when, how often and how bundled a rule sends. */
export class TimingReader {
  constructor(
    private readonly values: RuleValues,
    private readonly trigger: TriggerForm,
    private readonly owner: string | undefined,
    private readonly known: KnownEvents,
    private readonly report: FileReport,
  ) {}

  read(): TimingForm {
    return {
      ...member('oncePer', this.oncePer()),
      ...member('settle', this.settle()),
      ...member('throttle', this.throttle()),
      ...member('budget', this.budget()),
      ...member('digest', this.digest()),
      ...member('quietHours', this.quietHours()),
    };
  }

  private oncePer(): OncePer | undefined {
    const level = this.values.choice('oncePer', ONCE_PER);
    const at = this.values.at('oncePer');
    if (at && level !== undefined && level !== 'event')
      checkLevel('oncePer', level, at, this.trigger, this.report);
    return level;
  }

  private settle(): string | undefined {
    const at = this.values.at('settle');
    if (at && this.trigger.scheduled) {
      this.report.info(
        at,
        'KEY_WITHOUT_EFFECT',
        '"settle" does nothing beside a schedule: the next turn looks again',
        'Remove it.',
      );
    }
    return this.values.wallDuration('settle', SETTLE);
  }

  private throttle(): ThrottleDocument | undefined {
    const node = this.values.at('throttle');
    const values = node && this.object(node, 'throttle', '{"max": 5, "per": "1h"}', ['max', 'per'], ['key']);
    if (!values) return undefined;
    const max = values.wholeNumber('max', 1, MOST_HITS);
    const per = values.wallDuration('per', PER);
    const key = this.key(values);
    return max === undefined || per === undefined ? undefined : { max, per, ...member('key', key) };
  }

  private budget(): BudgetDocument | undefined {
    const node = this.values.at('budget');
    const values = node && this.object(node, 'budget', '{"max": 100, "per": "1h"}', ['max', 'per'], []);
    if (!values) return undefined;
    const max = values.wholeNumber('max', 1, MOST_DELIVERIES);
    const per = values.wallDuration('per', PER);
    if (this.values.at('digest') && !this.values.at('escalate')) {
      this.report.info(
        node,
        'KEY_WITHOUT_EFFECT',
        '"budget" does nothing beside "digest": what is gathered is one message',
        'Remove one of the two.',
      );
    }
    return max === undefined || per === undefined ? undefined : { max, per };
  }

  private digest(): DigestDocument | undefined {
    const node = this.values.at('digest');
    const required = this.trigger.scheduled ? [] : ['window'];
    const values =
      node && this.object(node, 'digest', '{"window": "15m"}', required, ['window', 'key', 'item']);
    if (!values) return undefined;
    const window = values.wallDuration('window', WINDOW);
    const key = this.key(values);
    const item = values.text('item', 2000);
    return { ...member('window', window), ...member('key', key), ...member('item', item) };
  }

  private quietHours(): QuietHoursDocument | undefined {
    const node = this.values.at('quietHours');
    const example = '{"outside": "09:00-19:00", "then": "defer"}';
    const values =
      node && this.object(node, 'quietHours', example, ['outside'], ['then', 'calendar', 'timezone']);
    if (!values) return undefined;
    const outside = values.text('outside', 20);
    const at = values.at('outside');
    if (at && outside !== undefined && !parseHours(outside)) {
      values.invalid(
        at,
        `"outside" must be two different times of the day: ${JSON.stringify(outside)}`,
        'Write when it is not quiet, like "09:00-19:00".',
      );
    }
    const then = values.choice('then', ['defer', 'drop', 'send'] as const) ?? 'defer';
    const thenAt = values.at('then');
    if (then === 'send' && thenAt) {
      this.report.info(
        thenAt,
        'KEY_WITHOUT_EFFECT',
        'with "send", quiet hours do nothing',
        'Write "defer" or "drop", or remove "quietHours".',
      );
    }
    const calendar = values.calendar();
    const timezone = values.timezone();
    if (outside === undefined) return undefined;
    return { outside, then, ...member('calendar', calendar), ...member('timezone', timezone) };
  }

  /** By what is counted or gathered: a fact, or the rule's owner. */
  private key(values: RuleValues): string | undefined {
    const fact = values.text('key', 200);
    const at = values.at('key');
    if (!at || fact === undefined) return undefined;
    if (fact === 'owner') {
      if (this.owner === undefined)
        values.invalid(at, '"key" is "owner", and the rule has no owner', 'Add "owner" to the rule.');
      return fact;
    }
    if (fact === '') {
      values.invalid(at, '"key" must be the name of a fact', 'Write its name in quotes, like "process_id".');
      return undefined;
    }
    const form = { fact, at, path: null, pathAt: null, pathBroken: false };
    const fields = checkFact(form, this.trigger.events, this.report);
    const [field] = fields;
    if (field && fields.every(({ type }) => type === 'object' || type === 'array'))
      values.invalid(
        at,
        `"key" must be a plain value, and "${fact}" is ${nameOfType(field)}`,
        'Use another fact.',
      );
    return fact;
  }

  private object(
    node: JsonNode,
    key: string,
    example: string,
    required: readonly string[],
    others: readonly string[],
  ): RuleValues | undefined {
    if (node.type !== 'object') {
      this.values.invalid(node, `"${key}" must be an object`, `Write ${example}.`);
      return undefined;
    }
    const known = [...new Set([...required, ...others])];
    const members = checkKeys(node, { prefix: 'RULE', known, required }, this.report);
    return new RuleValues(members, this.report, this.known.calendars);
  }
}

/** What the template for an item of a digest reads; null: there is none. */
export function readItem(
  at: JsonNode | undefined,
  report: FileReport,
): Pick<ActionForm, 'node' | 'reads'> | null {
  if (at?.type !== 'string') return null;
  const compiler = new ActionCompiler((_at, code, message, mend) => {
    report.error(at, code, message, mend);
  });
  compiler.template(String(at.value), []);
  if (compiler.secretNames.size > 0) {
    report.error(at, 'TEMPLATE_INVALID', '"item" cannot hold a secret', 'Put it into the action itself.');
  }
  return { node: at, reads: compiler.reads.map(({ path }) => ({ path, at })) };
}
