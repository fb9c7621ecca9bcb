import type { Subject } from '../decide.js';
import type { BacktestExample } from './backtest-report.js';

/** Enough digits for any time that a Date holds. */
const DIGITS = 16;

/** The id that a stored event has in a virtual room: such ids sort as the events were received (ms since 1970). */
export function roomId(receivedAt: number, storedId: string): string {
  return `${String(receivedAt).padStart(DIGITS, '0')}-${storedId}`;
}

/** The event that has an id in a virtual room; null: it is no event, but a turn of a schedule, or nothing is known of it. */
export function eventOf(id: string, subject: Subject | null): BacktestExample['event'] {
  if (!subject || id.charAt(DIGITS) !== '-') return null;
  const eventId = subject.facts.get('event_id');
  return {
    id: storedIdOf(id),
    eventId: typeof eventId === 'string' ? eventId : '',
    eventType: subject.eventType,
    receivedAt: new Date(Number(id.slice(0, DIGITS))).toISOString(),
  };
}

export function storedIdOf(id: string): string {
  return id.slice(DIGITS + 1);
}
