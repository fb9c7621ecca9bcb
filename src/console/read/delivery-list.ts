import type { DataSource } from 'typeorm';
import type { ActionKind } from '../../action/action.js';
import type { DeliveryRow, DeliveryState } from '../../action/delivery-store.js';
import { leastIdOf, receivedAtOf } from '../../events/received-at.js';
import { idRange, type IdRange, isUuid, oneId } from './id-range.js';
import { newestFirst, type Windows } from './newest-first.js';
import type { Slice } from './slice.js';

export interface DeliveryFilter {
  readonly state?: DeliveryState | undefined;
  readonly rule?: string | undefined;
  readonly action?: string | undefined;
  readonly kind?: ActionKind | undefined;
  readonly target?: string | undefined;
  readonly entity?: string | undefined;
  /** Our id of the event. */
  readonly event?: string | undefined;
  readonly occasion?: string | undefined;
  /** When it was made: from, and before. */
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  /** The id of a delivery, its key, or the whole entity, target or rule. */
  readonly text?: string | undefined;
}

export interface DeliveryListRow extends Omit<DeliveryRow, 'attemptsBefore' | 'redrivenAt' | 'request'> {
  readonly entity: string;
  readonly generation: number;
  readonly updatedAt: Date;
}

/** A delivery with all that is stored of it. A request that is null could not be rendered, or was erased. */
export type DeliveryDetailRow = DeliveryListRow & Pick<DeliveryRow, 'request' | 'redrivenAt'>;

/** States in which deliveries stay for a person, or for ever, and which few are in. */
const STANDING: readonly DeliveryState[] = ['held', 'deferred', 'dead', 'cancelled', 'pending', 'delivering'];
const ACTION_KEY = /^[0-9a-f]{40}$/;
/** Decisions come after the receipt; clocks of instances differ. */
const CLOCKS_DIFFER_MS = 3_600_000;

/** Deliveries and how far they have come, the newest first. */
export class DeliveryList {
  constructor(
    private readonly dataSource: DataSource,
    private readonly windows?: Windows,
  ) {}

  /** Up to `limit` + 1 deliveries. */
  async list(filter: DeliveryFilter, slice: Slice): Promise<DeliveryListRow[]> {
    const range = idRange(filter, slice);
    const plain = await this.withoutText(filter);
    if (plain === null) return [];
    const { event, entity, state } = plain;
    const limit = slice.limit + 1;
    const search = { ...plain, range, limit };
    if (plain.id !== undefined)
      return await this.rows(await this.among({ ...search, range: oneId(plain.id, range) }));
    if (event !== undefined || entity !== undefined) return await this.rows(await this.among(search));
    if (state !== undefined && STANDING.includes(state) && isUsual(plain))
      return await this.rows(await this.standing(search));
    return await this.rows(await this.walk(search));
  }

  async find(id: string): Promise<DeliveryDetailRow | null> {
    const [row] = await this.dataSource.query<DeliveryDetailRow[]>(
      `select ${COLUMNS}, d.request, k.redriven_at as "redrivenAt" ${FROM} where d.id = $1 and k.id = $1`,
      [id],
    );
    return row ?? null;
  }

  /** What the text is: an id, a key, an entity, a target or a rule; null: nothing has it. */
  private async withoutText({ text, ...filter }: DeliveryFilter): Promise<Plain | null> {
    if (text === undefined) return filter;
    const wanted = text.trim();
    if (isUuid(wanted.toLowerCase())) return { ...filter, id: wanted.toLowerCase() };
    const [found] = await this.dataSource.query<[{ id: string | null; entity: boolean }]>(
      `select (select id from action_keys where key = $2) as id,
              exists (select from deliveries where entity = $1) as entity`,
      [wanted, ACTION_KEY.test(wanted) ? wanted : null],
    );
    if (found.id !== null) return { ...filter, id: found.id };
    // A target begins with its kind, and no name of a rule has a colon.
    const column = found.entity ? 'entity' : wanted.includes(':') ? 'target' : 'rule';
    const given = filter[column];
    return given === undefined || given === wanted ? { ...filter, [column]: wanted } : null;
  }

  /** Those of one event or entity, which are few. */
  private async among({ range, limit, ...filter }: Search): Promise<string[]> {
    const { parameters, parameter } = parametersOf(range);
    const { id, event, entity, state } = filter;
    const conditions = [
      ...(id === undefined ? [] : [`d.id = ${parameter(id)}`]),
      ...(event === undefined
        ? []
        : [
            `d.event_id = ${parameter(event)}`,
            `d.id >= ${parameter(leastIdOf(receivedAtOf(event) - CLOCKS_DIFFER_MS))}`,
          ]),
      ...(entity === undefined ? [] : [`d.entity = ${parameter(entity)}`]),
      ...columnsOf(filter).map(([column, value]) => `d.${column} = ${parameter(value)}`),
      ...(state === undefined
        ? []
        : [`(select k.state from action_keys k where k.id = d.id) = ${parameter(state)}`]),
    ];
    return await this.ids(
      `select d.id from deliveries d where d.id >= $1 and d.id < $2 and ${conditions.join(' and ')}
        order by d.id desc limit ${limit}`,
      parameters,
    );
  }

  /** From the keys, of which few are in such a state. */
  private async standing({ range, limit, state, occasion, ...filter }: Search): Promise<string[]> {
    const { parameters, parameter } = parametersOf(range);
    const conditions = [`k.state = ${parameter(state)}`];
    for (const [column, value] of columnsOf(filter)) {
      if (column === 'kind') conditions.push(`starts_with(k.target, ${parameter(`${value}:`)})`);
      else conditions.push(`k.${column} = ${parameter(value)}`);
    }
    const rest =
      occasion === undefined
        ? ''
        : `where (select d.occasion from deliveries d where d.id = k.id) = ${parameter(occasion)}`;
    return await this.ids(
      `with k as materialized (
         select id from action_keys k
          where k.id >= $1 and k.id < $2 and ${conditions.join(' and ')} order by id desc)
       select id from k ${rest} limit ${limit}`,
      parameters,
    );
  }

  private async walk({ range, limit, state, ...filter }: Search): Promise<string[]> {
    const columns = columnsOf(filter);
    const parameters: unknown[] = [];
    const parameter = (value: unknown): string => `$${parameters.push(value)}`;
    const all = columns.map(([, value]) => value);
    return await newestFirst(this.dataSource, {
      windows: this.windows,
      table: 'deliveries',
      id: 'id',
      indexed:
        columns.length === 0
          ? []
          : [
              `array[s.rule, s.action, s.kind, s.target, s.occasion] @> ${parameter(all)}::text[]`,
              ...columns.map(([column, value]) => `s.${column} = ${parameter(value)}`),
            ],
      rest:
        state === undefined
          ? []
          : [`(select k.state from action_keys k where k.id = s.id) = ${parameter(state)}`],
      parameters,
      range,
      limit,
    });
  }

  private async ids(sql: string, parameters: readonly unknown[]): Promise<string[]> {
    return (await this.dataSource.query<{ id: string }[]>(sql, [...parameters])).map(({ id }) => id);
  }

  private async rows(ids: readonly string[]): Promise<DeliveryListRow[]> {
    if (ids.length === 0) return [];
    return await this.dataSource.query<DeliveryListRow[]>(
      `select ${COLUMNS} ${FROM} where d.id = any($1::uuid[]) and k.id = any($1::uuid[]) order by d.id desc`,
      [ids],
    );
  }
}

const COLUMNS = `d.id, d.action_key as "actionKey", d.event_id as "eventId", d.occasion, d.rule, d.action, d.kind, d.target,
  d.entity, d.generation, k.state, k.attempt, k.due_at as "dueAt", d.created_at as "createdAt", k.updated_at as "updatedAt",
  k.code, k.reason`;
const FROM = 'from deliveries d join action_keys k on k.id = d.id';

type Plain = Omit<DeliveryFilter, 'text'> & { readonly id?: string };
type Search = Plain & { readonly range: IdRange; readonly limit: number };

/** All but a few are of this occasion; others are found by it. */
function isUsual({ occasion }: Plain): boolean {
  return occasion === undefined || occasion === 'live';
}

function columnsOf({ rule, action, kind, target, occasion }: Plain): (readonly [string, string])[] {
  return Object.entries({ rule, action, kind, target, occasion }).flatMap(([column, value]) =>
    value === undefined ? [] : [[column, value] as const],
  );
}

function parametersOf({ low, high }: IdRange) {
  const parameters: unknown[] = [low, high];
  return { parameters, parameter: (value: unknown): string => `$${parameters.push(value)}` };
}
