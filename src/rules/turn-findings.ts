import type { Admission, AdmittedDelivery } from './admission.js';
import type { Verdict } from './decide.js';
import type { Asked, Suppression } from './evaluation-store.js';

/** How the entities of a turn came out. */
export interface TurnCounts {
  /** All that were open. */
  readonly entities: number;
  readonly matched: number;
  readonly unknown: number;
  readonly failed: number;
}

/** Why an action was not sent, and how often. */
interface Counted {
  readonly suppression: Suppression;
  times: number;
}

/** Of each kind so many different ones are kept: a turn may be about a hundred thousand entities. */
const MOST_KEPT = 100;

/** Gathers what came of each entity of a turn. */
export class TurnFindings {
  private readonly counted = { entities: 0, matched: 0, unknown: 0, failed: 0 };
  private readonly missing = new Set<string>();
  private readonly causes = new Map<string, Counted>();
  private error: string | null = null;
  deliveries = 0;
  /** Of the deliveries, those that a brake holds. */
  held = 0;
  items = 0;
  private askedFor = 0;

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

  /** So many actions were asked for. */
  asked(count: number): void {
    this.askedFor += count;
  }

  /** What the gates made of what was asked for. `again`: deliveries that turned out to exist when they were written. */
  admitted(
    { asked, suppressions, deliveries, holds, items }: Admission,
    again: readonly AdmittedDelivery[],
  ): void {
    for (const { count } of asked) this.asked(count);
    for (const { suppression } of suppressions) this.suppressed(suppression);
    for (const { delivery } of again)
      this.suppressed({ rule: delivery.rule, action: delivery.action, cause: 'already-sent' });
    this.deliveries += deliveries.length - again.length;
    for (const { count } of holds) this.held += count;
    this.items += items.length;
  }

  /** The same cause again is counted. When there are many, it is no longer told apart what each one was. */
  suppressed(suppression: Suppression): void {
    const key = JSON.stringify(suppression);
    const known = this.causes.get(key);
    if (known) known.times += 1;
    else if (this.causes.size < MOST_KEPT || suppression.by === undefined)
      this.causes.set(key, { suppression, times: 1 });
    else {
      const { rule, action, cause } = suppression;
      this.suppressed({ rule, action, cause });
    }
  }

  /** What the ledger keeps of it; null: nothing. */
  get askedByRule(): Asked | null {
    return this.askedFor === 0 ? null : { [this.rule]: this.askedFor };
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
    const causes = [...this.causes.values()].map(({ suppression, times }) =>
      times === 1 ? suppression : { ...suppression, times },
    );
    if (verdict === 'matched') return [{ rule, verdict }, ...causes];
    if (error !== null) return [{ rule, verdict: 'error', error }];
    return verdict === 'unknown' ? [{ rule, verdict, missing: [...this.missing] }] : [];
  }

  private fail(error: string): void {
    this.counted.failed += 1;
    this.error ??= error;
  }
}
