import { parseDuration } from '../../config/duration.js';
import { parseRuleDuration, type RuleDuration } from '../calendar/work-duration.js';
import type { FileReport } from './file-report.js';
import { type Member, textOf } from './json-node.js';
import type { JsonNode } from './json-text.js';
import { didYouMean, nearestName } from './nearest-name.js';

/** How long something may be, in ms, and how that is said. */
export interface DurationRange {
  readonly least: number;
  readonly most: number;
  /** `from 1s to 7d` */
  readonly said: string;
}

const EXAMPLES = 'Write it in quotes with its unit, like "30m", "24h", "2d" or "PT24H".';
const WORK_EXAMPLES = 'Write it in quotes with its unit, like "24h", "2d", "8 work hours" or "2 workdays".';
const ZONE_EXAMPLE = 'Write an IANA name, like "Asia/Shanghai".';

/** Reads the members of an object of a rule. What is wrong with one is reported, and then it is left out. */
export class RuleValues {
  constructor(
    private readonly members: ReadonlyMap<string, Member>,
    private readonly report: FileReport,
    /** The names of the work calendars. */
    private readonly calendars: ReadonlySet<string>,
  ) {}

  at(key: string): JsonNode | undefined {
    return this.members.get(key)?.value;
  }

  has(key: string): boolean {
    return this.members.has(key);
  }

  text(key: string, most: number): string | undefined {
    const node = this.at(key);
    if (!node) return undefined;
    const text = textOf(node);
    if (text === null) this.invalid(node, `"${key}" must be a text`, 'Write it in quotes.');
    else if (text.length > most)
      this.invalid(node, `"${key}" must not be longer than ${most} characters`, 'Shorten it.');
    return text ?? undefined;
  }

  boolean(key: string): boolean | undefined {
    const node = this.at(key);
    if (!node) return undefined;
    if (node.type === 'boolean') return node.value === true;
    this.invalid(node, `"${key}" must be true or false`, 'Write true or false, without quotes.');
    return undefined;
  }

  wholeNumber(key: string, least: number, most = Infinity): number | undefined {
    const node = this.at(key);
    if (!node || this.report.json.unsafe.has(node)) return undefined;
    const number = node.type === 'number' ? Number(node.value) : NaN;
    if (Number.isInteger(number) && number >= least && number <= most) return number;
    this.invalid(
      node,
      `"${key}" must be a whole number ${most === Infinity ? `of ${least} or more` : `from ${least} to ${most}`}`,
      'Change it, or remove it.',
    );
    return undefined;
  }

  choice<One extends string>(key: string, choices: readonly One[]): One | undefined {
    const node = this.at(key);
    if (!node) return undefined;
    const text = textOf(node);
    const chosen = choices.find((one) => one === text);
    if (chosen === undefined) {
      this.invalid(node, `"${key}" must be ${orOf(choices)}`, () =>
        text === null ? `Write it in quotes, like "${choices[0] ?? ''}".` : didYouMean(text, choices),
      );
    }
    return chosen;
  }

  /** A duration of the calendar on the wall, as it is written. */
  wallDuration(key: string, range: DurationRange): string | undefined {
    const node = this.at(key);
    if (!node) return undefined;
    const text = textOf(node);
    const ms = text === null ? null : parseDuration(text);
    if (text !== null && ms !== null && ms >= range.least && ms <= range.most) return text;
    if (text !== null && parseRuleDuration(text)?.kind.startsWith('work')) {
      this.report.error(
        node,
        'DURATION_INVALID',
        `"${key}" cannot be working time: it is counted by the clock on the wall`,
        'Write a duration like "30m", "24h" or "2d".',
      );
    } else if (ms !== null) {
      this.report.error(
        node,
        'DURATION_INVALID',
        `"${key}" must be a duration ${range.said}`,
        'Change the duration.',
      );
    } else this.noDuration(key, node, EXAMPLES);
    return undefined;
  }

  /** A duration of the calendar on the wall, or of working time. */
  duration(key: string): { readonly text: string; readonly duration: RuleDuration } | undefined {
    const node = this.at(key);
    if (!node) return undefined;
    const text = textOf(node);
    const duration = text === null ? null : parseRuleDuration(text);
    if (text !== null && duration) return { text, duration };
    this.noDuration(key, node, WORK_EXAMPLES);
    return undefined;
  }

  /** The name of a work calendar, also of one that does not exist, which is reported. */
  calendar(): string | undefined {
    const name = this.text('calendar', 64);
    const node = this.at('calendar');
    if (name !== undefined && node && !this.calendars.has(name))
      this.report.error(node, 'CALENDAR_UNKNOWN', `there is no work calendar "${name}"`, () =>
        didYouMean(name, this.calendars),
      );
    return name;
  }

  /** An IANA time zone. */
  timezone(): string | undefined {
    const name = this.text('timezone', 64);
    const node = this.at('timezone');
    if (name === undefined || !node || isTimezone(name)) return name;
    this.invalid(node, `"timezone" is no time zone: ${JSON.stringify(name)}`, () => {
      const meant = zoneOfCity(name) ?? nearestName(name, zonesLike(name));
      return meant === null ? ZONE_EXAMPLE : `Did you mean "${meant}"?`;
    });
    return undefined;
  }

  invalid(at: JsonNode, message: string, mend: string | (() => string)): void {
    this.report.error(at, 'RULE_VALUE_INVALID', message, mend);
  }

  private noDuration(key: string, node: JsonNode, mend: string): void {
    const written = node.type === 'object' || node.type === 'array' ? '' : `: ${JSON.stringify(node.value)}`;
    this.report.error(node, 'DURATION_INVALID', `"${key}" is no duration${written}`, mend);
  }
}

/** A member of a document, when there is a value for it. */
export function member<Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): Partial<Record<Key, Value>> {
  return value === undefined ? {} : ({ [key]: value } as Record<Key, Value>);
}

/** `"a", "b" or "c"` */
function orOf(choices: readonly string[]): string {
  const quoted = choices.map((one) => `"${one}"`);
  return `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1) ?? ''}`;
}

/** A name: what is written as an offset, like +08:00, knows no summer time. */
function isTimezone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** There are more zones than names are compared with. */
function zonesLike(name: string): string[] {
  return Intl.supportedValuesOf('timeZone').filter((zone) => Math.abs(zone.length - name.length) <= 2);
}

/** The zone of which only the city is written. */
function zoneOfCity(name: string): string | null {
  const city = `/${name.toLowerCase().replaceAll(' ', '_')}`;
  return Intl.supportedValuesOf('timeZone').find((zone) => zone.toLowerCase().endsWith(city)) ?? null;
}
