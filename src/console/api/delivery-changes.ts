import type { DataSource } from 'typeorm';
import type { Catalogue } from '../../events/catalogue.js';
import {
  type Change,
  type ChangeMessage,
  type ChangeSource,
  byPosition,
  inOrderOf,
  newestOf,
  totalOf,
} from './change-source.js';
import { microsOf, timeIn } from '../read/micros.js';
import { maskEntity, maskTarget } from './personal.js';
import type { DeliveryChange } from './stream.schema.js';

const KEYS = `select id, ${microsOf('updated_at')} as micros`;
const UPDATED = `${KEYS} from action_keys`;

type DeliveryChangeRow = Omit<DeliveryChange, 'updatedAt' | 'eventType'> & { readonly updatedAt: Date };

/** Deliveries that were made, or came on. */
export class DeliveryChanges implements ChangeSource {
  readonly topic = 'deliveries';

  constructor(private readonly dataSource: DataSource) {}

  async latest(): Promise<Change | null> {
    return (await this.rows(`${UPDATED} order by updated_at desc limit 1`, []))[0] ?? null;
  }

  async since(time: number, limit: number): Promise<Change[]> {
    return await this.rows(`${UPDATED} where updated_at > $1 order by updated_at limit $2`, [
      new Date(time),
      limit,
    ]);
  }

  async after(position: string, limit: number): Promise<{ count: number; last: Change[] }> {
    const from = `action_keys where updated_at > ${timeIn('$1')} and updated_at < 'infinity'`;
    const rows = await this.dataSource.query<UpdatedKey[]>(newestOf(KEYS, from, 'updated_at', '$2'), [
      position,
      Math.max(limit, 1),
    ]);
    return { count: totalOf(rows), last: rows.map(changeOf).sort(byPosition) };
  }

  async messages(changes: readonly Change[], catalogue: Catalogue): Promise<ChangeMessage[]> {
    const rows = await this.dataSource.query<DeliveryChangeRow[]>(
      `select d.id, d.event_id as "eventId", d.rule, d.action, d.kind, d.target, d.entity, k.state, k.attempt, k.code,
              k.updated_at as "updatedAt"
         from deliveries d join action_keys k on k.id = d.id where d.id = any($1::uuid[])`,
      [changes.map(({ id }) => id)],
    );
    const types = await this.eventTypesOf(rows.map(({ eventId }) => eventId));
    return inOrderOf(changes, rows, ({ id }) => id).map((row) => {
      const eventType = types.get(row.eventId) ?? '';
      const data: DeliveryChange = { ...row, eventType, updatedAt: row.updatedAt.toISOString() };
      const [target, entity] = [maskTarget(data.target), maskEntity(data.entity, catalogue)];
      const isSame = target === data.target && entity === data.entity;
      return {
        eventType,
        rules: [data.rule],
        data,
        masked: isSame ? data : { ...data, target, entity },
      };
    });
  }

  /** Asked for by their ids: a join would look into the events of every day. */
  private async eventTypesOf(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const rows = await this.dataSource.query<{ id: string; type: string }[]>(
      'select id, event_type as type from events where id = any($1::uuid[])',
      [ids],
    );
    return new Map(rows.map(({ id, type }) => [id, type]));
  }

  private async rows(sql: string, values: unknown[]): Promise<Change[]> {
    return (await this.dataSource.query<UpdatedKey[]>(sql, values)).map(changeOf);
  }
}

interface UpdatedKey {
  readonly id: string;
  readonly micros: string;
  readonly total?: number;
}

function changeOf({ id, micros }: UpdatedKey): Change {
  return { key: `${id} ${micros}`, id, position: micros, at: Number(micros) / 1000 };
}
