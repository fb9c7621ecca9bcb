import type { Verdict } from './decide.js';
import type { Suppression } from './evaluation-store.js';

/** How the entities of a turn came out. */
export interface TurnCounts {
  /** All that were open. */
  readonly entities: number;
  readonly matched: number;
  readonly unknown: number;
  readonly failed: number;
}

/** Of each kind so many different ones are kept: a turn may be about a hundred thousand entities. */
const MOST_KEPT = 100;

/** Gathers what came of each entity of a turn. */
export class TurnFindings {
  private readonly counted = { entities: 0, matched: 0, unknown: 0, failed: 0 };
  private readonly missing = new Set<string>();
  private readonly causes = new Map<string, Suppression>();
  private error: string | null = null;
  deliveries = 0;
  items = 0;

  constructor(private readonly rule: string) {}

  get counts(): TurnCounts {
    return { ...this.counted };
  }

  /** What went wrong first; null: nothing did. */
  get firstError(): string | null {
    return this.error;
  }

  judged(verdict: Verdict): void {
    this.counted.entities += 1;
    if (verdict.verdict === 'matched') this.counted.matched += 1;
    else if (verdict.verdict === 'error') this.fail(verdict.error);
    else if (verdict.verdict === 'unknown') {
      this.counted.unknown += 1;
      for (const name of verdict.missing) if (this.missing.size < MOST_KEPT) this.missing.add(name);
    }
  }

  /** It matched, and then nothing could be made of it. */
  spoilt(error: string): void {
    this.counted.matched -= 1;
    this.fail(error);
  }

  /** The same cause again is not told again. */
  suppressed(suppression: Suppression): void {
    if (this.causes.size < MOST_KEPT) this.causes.set(JSON.stringify(suppression), suppression);
  }

  /** Matched when any entity did, else what kept one from being decided. */
  get verdict(): Verdict['verdict'] {
    if (this.counted.matched > 0) return 'matched';
    if (this.error !== null) return 'error';
    return this.counted.unknown > 0 ? 'unknown' : 'not matched';
  }

  /** What the ledger keeps, with each different cause of an action that was not sent. */
  get verdicts(): (Verdict | Suppression)[] {
    const { rule, verdict, error } = this;
    const causes = [...this.causes.values()];
    if (verdict === 'matched') return [{ rule, verdict }, ...causes];
    if (error !== null) return [{ rule, verdict: 'error', error }];
    return verdict === 'unknown' ? [{ rule, verdict, missing: [...this.missing] }] : [];
  }

  private fail(error: string): void {
    this.counted.failed += 1;
    this.error ??= error;
  }
}
