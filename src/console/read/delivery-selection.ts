import type { DataSource } from 'typeorm';
import type { DeliveryState } from '../../action/delivery-states.js';
import type { DeliveryFilter } from './delivery-list.js';
import { idRange } from './id-range.js';

/** Which deliveries an act is meant for. */
export type SelectionFilter = Pick<
  DeliveryFilter,
  'rule' | 'action' | 'kind' | 'target' | 'entity' | 'since' | 'until'
> & {
  /** Why it stands as it does. */
  readonly code?: string | undefined;
};

/** Deliveries in some states that a filter finds: how many there are, and their ids, the oldest first. */
export class DeliverySelection {
  constructor(private readonly dataSource: DataSource) {}

  /** How many are behind `after`. */
  async count(
    filter: SelectionFilter,
    states: readonly DeliveryState[],
    after: string | null,
  ): Promise<number> {
    const { where, parameters } = conditionsOf(filter, states, after);
    const [row] = await this.dataSource.query<[{ count: number }]>(
      `select count(*)::int as count from action_keys k where ${where}`,
      parameters,
    );
    return row.count;
  }

  /** Up to `limit` ids behind `after`. */
  async ids(
    filter: SelectionFilter,
    states: readonly DeliveryState[],
    { limit, after }: { readonly limit: number; readonly after: string | null },
  ): Promise<string[]> {
    const { where, parameters } = conditionsOf(filter, states, after);
    const rows = await this.dataSource.query<{ id: string }[]>(
      `select k.id from action_keys k where ${where} order by k.id limit ${limit}`,
      parameters,
    );
    return rows.map(({ id }) => id);
  }
}

function conditionsOf(
  { rule, action, kind, target, entity, code, since, until }: SelectionFilter,
  states: readonly DeliveryState[],
  after: string | null,
): { readonly where: string; readonly parameters: unknown[] } {
  const { low, high } = idRange({ since, until }, { after: null });
  const parameters: unknown[] = [low, high, states];
  const conditions = ['k.id >= $1', 'k.id < $2', 'k.state = any($3::text[])'];
  const add = (value: string | undefined, condition: (parameter: string) => string): void => {
    if (value !== undefined) conditions.push(condition(`$${parameters.push(value)}`));
  };
  add(after ?? undefined, (parameter) => `k.id > ${parameter}`);
  add(rule, (parameter) => `k.rule = ${parameter}`);
  add(action, (parameter) => `k.action = ${parameter}`);
  add(target, (parameter) => `k.target = ${parameter}`);
  add(code, (parameter) => `k.code = ${parameter}`);
  add(kind && `${kind}:`, (parameter) => `starts_with(k.target, ${parameter})`);
  add(
    entity,
    (parameter) => `exists (select from deliveries d where d.id = k.id and d.entity = ${parameter})`,
  );
  return { where: conditions.join(' and '), parameters };
}
