import type { Ladder } from '../ladder.js';
import { LadderBook } from '../ladder-book.js';
import type { DueLadder, LadderOutcome } from '../timer-store.js';

/** A ladder in memory. */
export type LadderRow = Omit<DueLadder, 'state'> & {
  state: Ladder['state'] | 'cancelled';
  /** The order in which they were armed. */
  readonly number: number;
};

/** Ladders in memory, as the timer store keeps them in the database. */
export class VirtualLadders {
  /** Those that stand, by root entity, in the order of their arming. */
  private readonly standing = new Map<string, LadderRow[]>();
  private readonly byId = new Map<string, LadderRow>();
  private armed = 0;

  /** What stands for some root entities, for the decisions about their events. */
  bookOf(entities: readonly string[]): LadderBook {
    return new LadderBook(
      entities.flatMap((entity) =>
        (this.standing.get(entity) ?? []).flatMap(({ state, ...row }) =>
          state === 'cancelled' ? [] : { ...row, state },
        ),
      ),
    );
  }

  /** Writes what a book has noted. Answers the ladders that it has armed. */
  write({ inserts, updates }: LadderBook): readonly LadderRow[] {
    const rows: LadderRow[] = [];
    for (const { code, ...made } of inserts) {
      if (code !== null) continue;
      const row: LadderRow = { ...made, answers: null, number: (this.armed += 1) };
      rows.push(row);
      this.byId.set(row.id, row);
      const list = this.standing.get(row.entity);
      if (list) list.push(row);
      else this.standing.set(row.entity, [row]);
    }
    for (const { id, holders, code } of updates) {
      const row = this.byId.get(id);
      if (!row) continue;
      if (code === null) Object.assign(row, { holders });
      else this.drop(row);
    }
    return rows;
  }

  /** Writes what became of a ladder that was due. */
  settle(row: LadderRow, { state, sent, step, dueAt, plan, answers }: LadderOutcome): void {
    if (state === 'cancelled') this.drop(row);
    else Object.assign(row, { state, sent, step, dueAt, plan, answers });
  }

  private drop(row: LadderRow): void {
    row.state = 'cancelled';
    this.byId.delete(row.id);
    const list = this.standing.get(row.entity);
    if (!list) return;
    list.splice(list.indexOf(row), 1);
    if (list.length === 0) this.standing.delete(row.entity);
  }
}
