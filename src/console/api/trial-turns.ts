import type { Actor } from '../../config/access.js';
import { Refusal } from '../../config/problem.js';
import { RunLimitError } from '../../rules/trial/run-order.js';
import { refusalOf } from './rule-set-refusal.js';

/** Trials under way in one process, and runs for pages beside them: each is a thread, and may fill its memory. */
const TRIALS_AT_ONCE = 2;
const RUNS_AT_ONCE = 2;
/** Pages that wait for a run. */
const MOST_WAITING = 20;

/** Lets only so much run at once. */
export class TrialTurns {
  private readonly trying = new Set<string>();
  private readonly waiting: (() => void)[] = [];
  private running = 0;

  /**
   * A trial: one at a time for a user.
   *
   * @throws Refusal 429 BUSY; 409 TRIAL_TOO_LONG, TRIAL_TOO_LARGE
   */
  async trial<T>(actor: Actor, work: () => Promise<T>): Promise<T> {
    const key = actor.userId ?? actor.name;
    if (this.trying.has(key) || this.trying.size >= TRIALS_AT_ONCE)
      throw busy('Another rule file is being tried: try again in a moment.');
    this.trying.add(key);
    try {
      return await telling(work);
    } finally {
      this.trying.delete(key);
    }
  }

  /**
   * What a page asks for: it waits for its turn.
   *
   * @throws Refusal as `trial`
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running < RUNS_AT_ONCE) this.running += 1;
    else if (this.waiting.length >= MOST_WAITING)
      throw busy('Others are looking at rules: ask again in a moment.');
    // Whoever is done hands the turn on.
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await telling(work);
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.running -= 1;
    }
  }
}

function busy(detail: string): Refusal {
  return new Refusal(429, 'BUSY', detail, { headers: { 'retry-after': '1' } });
}

const LIMITS = {
  TRIAL_TOO_LONG:
    'It took more than 10 s, and was given up: look for patterns and conditions that are endless work, or take fewer events.',
  TRIAL_TOO_LARGE: 'It took more memory than there is for it, and was given up.',
} as const;

async function telling<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RunLimitError) throw new Refusal(409, error.code, LIMITS[error.code]);
    throw refusalOf(error);
  }
}
