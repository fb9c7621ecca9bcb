import { writeDuration, parseDuration } from '../../config/duration.js';
import type { EnumValue, FieldDefinition } from '../../events/catalogue.js';
import { parseRuleDuration } from '../calendar/work-duration.js';
import type { OperatorDefinition } from '../operators.js';

const DAY_MS = 86_400_000;

/** The values that stand beside one in the catalogue's order of the known values; null: it is none of those. */
export function neighboursOf(
  value: unknown,
  known: readonly EnumValue[] | undefined,
): readonly unknown[] | null {
  const at = known?.findIndex((one) => one.value === value) ?? -1;
  if (!known || at < 0) return null;
  return [known[at - 1], known[at + 1]].flatMap((one) => (one ? [one.value] : []));
}

/**
 * What a literal of a condition is changed into, one mutant for each: an enum value into its neighbours, a number by
 * one up and down, a duration to the double, a text into another. Empty: of such a value there is no other.
 */
export function otherValues(
  value: unknown,
  operator: OperatorDefinition,
  field: FieldDefinition | null,
): readonly unknown[] {
  if (typeof value === 'boolean') return [!value];
  if (typeof value === 'number')
    return neighboursOf(value, field?.enum) ?? [value + 1, value - 1].filter((one) => one !== value);
  if (typeof value !== 'string') return [];
  if (operator.value === 'duration') return doubled(value);
  return neighboursOf(value, field?.enum) ?? [otherText(value)];
}

/** `1>3` with the neighbours of each of the two statuses; null: it is no transition between known statuses. */
export function otherTransitions(
  text: unknown,
  known: readonly EnumValue[] | undefined,
): readonly string[] | null {
  if (typeof text !== 'string') return null;
  const [from, to, ...more] = text
    .split('>')
    .map((part) => known?.find(({ value }) => String(value) === part));
  if (!from || !to || more.length > 0) return null;
  const around = ({ value }: EnumValue): readonly unknown[] => neighboursOf(value, known) ?? [];
  return [
    ...around(to).map((value) => `${from.value}>${String(value)}`),
    ...around(from).map((value) => `${String(value)}>${to.value}`),
  ].filter((one) => one.split('>')[0] !== one.split('>')[1]);
}

/** The `after` of a step, twice as long and half as long; working time stays working time. */
export function otherDelays(text: string): readonly string[] {
  const duration = parseRuleDuration(text);
  switch (duration?.kind) {
    case undefined:
      return [];
    case 'time':
      return [duration.ms * 2, Math.floor(duration.ms / 2)].map(writeDuration);
    case 'work-time':
      return [duration.minutes * 2, Math.floor(duration.minutes / 2)].flatMap((minutes) =>
        minutes > 0 ? [minutes % 60 === 0 ? `${minutes / 60} work hours` : `${minutes} work minutes`] : [],
      );
    case 'workdays':
      return [duration.days * 2, Math.floor(duration.days / 2)].flatMap((days) =>
        days > 0 ? [`${days} workdays`] : [],
      );
  }
}

function doubled(text: string): readonly string[] {
  const ms = parseDuration(text);
  return ms === null || ms === 0 ? [] : [writeDuration(ms * 2)];
}

/** A time of day, a day or a date-time stays one; anything else gets one more character. */
function otherText(text: string): string {
  const [, hours, rest] = /^([01]\d|2[0-3])(:[0-5]\d)$/.exec(text) ?? [];
  if (hours !== undefined && rest !== undefined)
    return `${String((Number(hours) + 1) % 24).padStart(2, '0')}${rest}`;
  const [, day, time] = /^(\d{4}-\d\d-\d\d)([T ].+)?$/.exec(text) ?? [];
  const ms = day === undefined ? NaN : Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(ms) ? `${text}~` : `${new Date(ms + DAY_MS).toISOString().slice(0, 10)}${time ?? ''}`;
}
