import { writeDuration } from '../../config/duration.js';
import { zoneClock } from '../calendar/zone-clock.js';

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** `2026-01-05T09:00:00+08:00`, of ms since 1970, by the clocks of a zone. */
export function momentText(at: number, timezone: string): string {
  const { offset } = zoneClock(timezone).stretchAt(at);
  const wall = new Date(at + offset)
    .toISOString()
    .replace('Z', '')
    .replace(/\.000$/, '');
  const minutes = Math.round(Math.abs(offset) / MINUTE_MS);
  const two = (number: number): string => String(number).padStart(2, '0');
  // A zone of long ago may be some seconds beside a minute: then the moment is told by UTC.
  if (minutes * MINUTE_MS !== Math.abs(offset)) return new Date(at).toISOString();
  return `${wall}${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** `25h`, `PT2H5M3S`; null: no duration of whole seconds says it. */
export function durationText(ms: number): string | null {
  if (ms % SECOND_MS !== 0) return null;
  if (ms === 0) return '0s';
  if (ms % HOUR_MS === 0 || ms < MINUTE_MS || (ms % MINUTE_MS === 0 && ms < 2 * HOUR_MS))
    return writeDuration(ms);
  const hours = Math.floor(ms / HOUR_MS);
  const minutes = Math.floor((ms % HOUR_MS) / MINUTE_MS);
  const seconds = (ms % MINUTE_MS) / SECOND_MS;
  return `PT${hours > 0 ? `${hours}H` : ''}${minutes > 0 ? `${minutes}M` : ''}${seconds > 0 ? `${seconds}S` : ''}`;
}
