import { Cron } from 'croner';

/**
 * When a cron expression of five fields is due next after a moment (ms), in ms; null: never again. Named hours and
 * minutes come once on every day: what summer time skips comes right after, what it repeats does not come again.
 */
export function nextDue(expression: string, timezone: string, after: number): number | null {
  const cron = new Cron(expression, { paused: true, mode: '5-part', timezone, fixedTimeRule: 'no-wildcard' });
  return cron.nextRun(new Date(after))?.getTime() ?? null;
}

/** From here the check looks for a time at which it is due: the same files have the same findings on any day. */
const ANY_DAY = Date.UTC(2024, 0, 1);

/** Why an expression is no cron expression of five fields that is ever due; null: it is one. */
export function cronProblem(expression: string): string | null {
  const fields = expression.trim().split(/\s+/);
  if (expression.trim() === '' || fields.length !== 5)
    return `it must have five fields, and has ${expression.trim() === '' ? 'none' : fields.length}`;
  try {
    return nextDue(expression, 'UTC', ANY_DAY) === null ? 'it is never due' : null;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^\w+: /, '') : 'it cannot be read';
  }
}
