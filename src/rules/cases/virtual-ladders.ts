import { LadderBook } from '../ladder-book.js';
import type { LadderOutcome } from '../timer-store.js';
import type { EntityRecord, LadderRow, VirtualEntities } from './virtual-entities.js';

/** Ladders in memory, as the timer store keeps them in the database. */
export class VirtualLadders {
  private armed = 0;

  constructor(private readonly entities: VirtualEntities) {}

  /** What stands for some root entities, for the decisions about their events. */
  bookOf(records: Iterable<EntityRecord>): LadderBook {
    return new LadderBook(
      [...records].flatMap(({ ladders }) =>
        ladders.flatMap(({ state, ...row }) => (state === 'cancelled' ? [] : { ...row, state })),
      ),
    );
  }

  /** Null: it has ended. */
  find(entity: string, id: string): LadderRow | null {
    return this.entities.of(entity).ladders.find((row) => row.id === id) ?? null;
  }

  /** Writes what a book has noted. Answers the ladders that it has armed. */
  write({ inserts, updates }: LadderBook): readonly LadderRow[] {
    const rows: LadderRow[] = [];
    for (const { code, ...made } of inserts) {
      if (code !== null) continue;
      const row: LadderRow = { ...made, answers: null, number: (this.armed += 1) };
      rows.push(row);
      this.entities.of(row.entity).ladders.push(row);
    }
    for (const { entity, id, holders, code } of updates) {
      const row = this.find(entity, id);
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
    const list = this.entities.of(row.entity).ladders;
    const at = list.indexOf(row);
    if (at >= 0) list.splice(at, 1);
  }
}
