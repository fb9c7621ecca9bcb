import { v7 as uuidv7 } from 'uuid';
import { laneOf } from '../queue/lanes.js';
import type { CancelCause, Ladder, LadderChange } from './ladder.js';

/** A ladder that was armed within the transaction, as its row will be. */
export interface NewLadder extends Ladder {
  readonly lane: number;
  readonly step: string;
  /** Milliseconds since 1970. */
  readonly dueAt: number;
  readonly plan: string;
  /** Why it was cancelled again within the same transaction; null: it stands. */
  readonly code: CancelCause | null;
}

/** What becomes of a ladder that stood before the transaction. */
export interface ChangedLadder {
  readonly id: string;
  /** The root entity. */
  readonly entity: string;
  readonly holders: Ladder['holders'];
  readonly code: CancelCause | null;
}

/**
 * The ladders of some root entities while their events are decided one after the other: each sees what the ones
 * before it have armed and cancelled.
 */
export class LadderBook {
  private readonly standing = new Map<string, Ladder[]>();
  private readonly armed = new Map<string, NewLadder>();
  private readonly touched = new Map<string, ChangedLadder>();

  constructor(rows: readonly Ladder[]) {
    for (const row of rows) this.of(row.entity).push(row);
  }

  /** Those that stand for a root entity. The list is the book's own. */
  of(entity: string): Ladder[] {
    let found = this.standing.get(entity);
    if (!found) this.standing.set(entity, (found = []));
    return found;
  }

  /** Notes what the decision about an event does. `now` in ms. */
  apply(
    event: { readonly id: string; readonly key: string; readonly entity: string },
    changes: readonly LadderChange[],
    now: number,
  ): void {
    for (const change of changes) {
      if (change.kind === 'arm') this.arm(event, change, now);
      else this.change(event.entity, change);
    }
  }

  get inserts(): readonly NewLadder[] {
    return [...this.armed.values()];
  }

  get updates(): readonly ChangedLadder[] {
    return [...this.touched.values()];
  }

  private arm(
    { id: eventId, key, entity }: { readonly id: string; readonly key: string; readonly entity: string },
    change: Extract<LadderChange, { kind: 'arm' }>,
    now: number,
  ): void {
    const { rule, per, subject, baseTime, holder, next, plan } = change;
    const ladder: NewLadder = {
      // The sequence keeps the ids in the order in which they were armed.
      id: uuidv7({ msecs: now, seq: this.armed.size }),
      rule,
      per,
      subject,
      entity,
      lane: laneOf(entity),
      state: 'armed',
      eventId,
      cause: key,
      baseTime,
      holders: { [holder]: eventId },
      sent: [],
      step: next.step.name,
      dueAt: next.dueAt,
      plan,
      code: null,
    };
    this.of(entity).push(ladder);
    this.armed.set(ladder.id, ladder);
  }

  private change(entity: string, change: Exclude<LadderChange, { kind: 'arm' }>): void {
    const { ladder } = change;
    const holders = change.kind === 'hold' ? change.holders : ladder.holders;
    const code = change.kind === 'cancel' ? change.cause : null;
    const fresh = this.armed.get(ladder.id);
    if (fresh) this.armed.set(ladder.id, { ...fresh, holders, code });
    else this.touched.set(ladder.id, { id: ladder.id, entity, holders, code });
    const list = this.of(entity);
    const at = list.findIndex(({ id }) => id === ladder.id);
    if (at < 0) return;
    if (code === null) list[at] = { ...ladder, holders };
    else list.splice(at, 1);
  }
}
