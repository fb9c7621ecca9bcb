import type { DataSource } from 'typeorm';
import type { Catalogue } from '../../events/catalogue.js';
import type { DeliveryChange, EventChange, Topic, VerdictChange } from './stream.schema.js';
import { maskEntity, maskTarget } from './personal.js';

/** One row that is new or different. */
export interface Change {
  /** Never that of another change. */
  readonly key: string;
  /** Of the row. */
  readonly id: string;
  /** Where it stands in the order of changes: compared as text. */
  readonly position: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** What is told of a change. */
export interface ChangeMessage {
  readonly eventType: string;
  /** The rules that it has to do with; null: it has to do with none. */
  readonly rules: readonly string[] | null;
  readonly data: EventChange | VerdictChange | DeliveryChange;
  /** For viewers; the same object when it holds nothing personal. */
  readonly masked: EventChange | VerdictChange | DeliveryChange;
}

/** A table in which one can see what has changed. */
export interface ChangeSource {
  readonly topic: Topic;
  /** The latest change; null: there is none. */
  latest(): Promise<Change | null>;
  /** Changes since a time, the oldest first, `limit` at most. */
  since(time: number, limit: number): Promise<Change[]>;
  /** How many there are after a position ('' is before all), and the last `limit` of them, the oldest first. */
  after(position: string, limit: number): Promise<{ readonly count: number; readonly last: Change[] }>;
  /** In the order of the changes. */
  messages(changes: readonly Change[], catalogue: Catalogue): Promise<ChangeMessage[]>;
}

const RULES_SHOWN = 20;
/** An evaluation belongs to the day of its event: older events that are decided now are left out. */
const OLDEST_DECIDED_MS = 3 * 86_400_000;

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
    const from = position === '' ? leastIdOf(0) : position;
    const last = await this.rows('select id from events where id > $1 order by id desc limit $2', [
      from,
      Math.max(limit, 1),
    ]);
    return { count: await countOf(this.dataSource, 'events where id > $1', from), last: last.reverse() };
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
    const rows = await this.dataSource.query<{ id: string }[]>(sql, values);
    return rows.map(({ id }) => ({ key: id, id, position: id, at: timeOf(id) }));
  }
}

interface DecidedRow extends Omit<VerdictChange, 'decidedAt' | 'rules'> {
  readonly decidedAt: Date;
  readonly verdicts: readonly { readonly rule: string; readonly verdict?: string }[];
}

export class VerdictChanges implements ChangeSource {
  readonly topic = 'verdicts';

  constructor(
    private readonly dataSource: DataSource,
    private readonly now: () => number,
  ) {}

  async latest(): Promise<Change | null> {
    return (await this.rows(`${DECIDED} order by decided_at desc limit 1`, [this.oldest()]))[0] ?? null;
  }

  async since(time: number, limit: number): Promise<Change[]> {
    return await this.rows(`${DECIDED} and decided_at > $2 order by decided_at limit $3`, [
      this.oldest(),
      new Date(time),
      limit,
    ]);
  }

  async after(position: string, limit: number): Promise<{ count: number; last: Change[] }> {
    const last = await this.rows(
      `${DECIDED} and decided_at > ${timeIn('$2')} order by decided_at desc limit $3`,
      [this.oldest(), position, Math.max(limit, 1)],
    );
    const from = `evaluations where event_id > $2 and decided_at > ${timeIn('$1')}`;
    return { count: await countOf(this.dataSource, from, position, this.oldest()), last: last.reverse() };
  }

  async messages(changes: readonly Change[]): Promise<ChangeMessage[]> {
    const rows = await this.dataSource.query<DecidedRow[]>(
      `select v.event_id as "eventId", e.event_type as "eventType", v.occasion, v.decided_at as "decidedAt",
              v.rule_set as "ruleSet", v.matched, v.unknown, v.errors, v.verdicts
         from evaluations v join events e on e.id = v.event_id
        where v.event_id = any($1::uuid[]) and e.id = any($1::uuid[])`,
      [changes.map(({ id }) => id)],
    );
    const keyOf = ({ eventId, occasion }: DecidedRow): string => `${eventId} ${occasion}`;
    return inOrderOf(changes, rows, keyOf, ({ key }) => key).map(({ verdicts, decidedAt, ...row }) => {
      const rules = verdicts.flatMap(({ rule, verdict }) =>
        verdict === 'matched' || verdict === 'unknown' || verdict === 'error'
          ? [{ rule, verdict } as const]
          : [],
      );
      const data: VerdictChange = {
        ...row,
        decidedAt: decidedAt.toISOString(),
        rules: rules.slice(0, RULES_SHOWN),
      };
      return { eventType: row.eventType, rules: rules.map(({ rule }) => rule), data, masked: data };
    });
  }

  private oldest(): string {
    return leastIdOf(this.now() - OLDEST_DECIDED_MS);
  }

  private async rows(sql: string, values: unknown[]): Promise<Change[]> {
    const rows = await this.dataSource.query<{ id: string; occasion: string; micros: string }[]>(sql, values);
    return rows.map(({ id, occasion, micros }) => ({
      key: `${id} ${occasion}`,
      id,
      position: micros,
      at: Number(micros) / 1000,
    }));
  }
}

const DECIDED = `select event_id as id, occasion, ${microsOf('decided_at')} as micros from evaluations where event_id > $1`;

type DeliveryChangeRow = Omit<DeliveryChange, 'updatedAt' | 'eventType'> & { readonly updatedAt: Date };

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
    const last = await this.rows(
      `${UPDATED} where updated_at > ${timeIn('$1')} order by updated_at desc limit $2`,
      [position, Math.max(limit, 1)],
    );
    const from = `action_keys where updated_at > ${timeIn('$1')}`;
    return { count: await countOf(this.dataSource, from, position), last: last.reverse() };
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
    const rows = await this.dataSource.query<{ id: string; micros: string }[]>(sql, values);
    return rows.map(({ id, micros }) => ({
      key: `${id} ${micros}`,
      id,
      position: micros,
      at: Number(micros) / 1000,
    }));
  }
}

const UPDATED = `select id, ${microsOf('updated_at')} as micros from action_keys`;

/** Lossless, and in the order of its text. */
function microsOf(column: string): string {
  return `(extract(epoch from ${column}) * 1000000)::bigint::text`;
}

function timeIn(parameter: string): string {
  return `(timestamptz 'epoch' + coalesce(nullif(${parameter}, '')::bigint, 0) * interval '1 microsecond')`;
}

async function countOf(dataSource: DataSource, from: string, ...values: string[]): Promise<number> {
  const [row] = await dataSource.query<{ count: number }[]>(
    `select count(*)::int as count from ${from}`,
    values,
  );
  return row?.count ?? 0;
}

/** The least UUIDv7 of a millisecond. */
function leastIdOf(time: number): string {
  const digits = Math.max(0, Math.floor(time)).toString(16).padStart(12, '0');
  return `${digits.slice(0, 8)}-${digits.slice(8)}-0000-0000-000000000000`;
}

function timeOf(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

function inOrderOf<Row>(
  changes: readonly Change[],
  rows: readonly Row[],
  nameOf: (row: Row) => string,
  wanted: (change: Change) => string = ({ id }) => id,
): Row[] {
  const byName = new Map(rows.map((row) => [nameOf(row), row]));
  return changes.flatMap((change) => byName.get(wanted(change)) ?? []);
}
