import type { DataSource } from 'typeorm';
import type { Catalogue } from '../../events/catalogue.js';
import { leastIdOf, receivedAtOf } from '../../events/received-at.js';
import {
  type Change,
  type ChangeMessage,
  type ChangeSource,
  byPosition,
  inOrderOf,
  newestOf,
  totalOf,
} from './change-source.js';
import { maskEntity } from './personal.js';
import type { EventChange } from './stream.schema.js';

const LAST = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** Events that were stored: their ids are in the order of time. */
export class EventChanges implements ChangeSource {
  readonly topic = 'events';

  constructor(private readonly dataSource: DataSource) {}

  async latest(): Promise<Change | null> {
    const [row] = await this.rows('select id from events order by id desc limit 1', []);
    return row ?? null;
  }

  async since(time: number, limit: number): Promise<Change[]> {
    return await this.rows('select id from events where id > $1 order by id limit $2', [
      leastIdOf(time),
      limit,
    ]);
  }

  async after(position: string, limit: number): Promise<{ count: number; last: Change[] }> {
    const rows = await this.dataSource.query<IdRow[]>(
      newestOf('select id', `events where id > $1 and id < '${LAST}'`, 'id', '$2'),
      [position === '' ? leastIdOf(0) : position, Math.max(limit, 1)],
    );
    return { count: totalOf(rows), last: rows.map(changeOf).sort(byPosition) };
  }

  async messages(changes: readonly Change[], catalogue: Catalogue): Promise<ChangeMessage[]> {
    const rows = await this.dataSource.query<(Omit<EventChange, 'receivedAt'> & { receivedAt: Date })[]>(
      `select id, event_id as "eventId", origin, event_type as "eventType", source, received_at as "receivedAt",
              root_entity as "rootEntity"
         from events where id = any($1::uuid[])`,
      [changes.map(({ id }) => id)],
    );
    return inOrderOf(changes, rows, ({ id }) => id).map((row) => {
      const data: EventChange = { ...row, receivedAt: row.receivedAt.toISOString() };
      const { rootEntity, eventType } = data;
      const entity = rootEntity === null ? null : maskEntity(rootEntity, catalogue);
      return {
        eventType,
        rules: null,
        data,
        masked: entity === rootEntity ? data : { ...data, rootEntity: entity },
      };
    });
  }

  private async rows(sql: string, values: unknown[]): Promise<Change[]> {
    return (await this.dataSource.query<IdRow[]>(sql, values)).map(changeOf);
  }
}

interface IdRow {
  readonly id: string;
  readonly total?: number;
}

function changeOf({ id }: IdRow): Change {
  return { key: id, id, position: id, at: receivedAtOf(id) };
}
