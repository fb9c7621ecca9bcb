import type { EntityManager } from 'typeorm';
import type { DeliveryState } from './delivery-store.js';

export const DELIVERY_ACTS = ['redrive', 'release', 'discard', 'cancel'] as const;
/** What a person may do with a delivery. */
export type DeliveryAct = (typeof DELIVERY_ACTS)[number];

/** From which states each act is possible, and the state it leads to. */
export const ACT_STATES = {
  redrive: { from: ['dead'], to: 'pending' },
  release: { from: ['held'], to: 'pending' },
  discard: { from: ['held'], to: 'cancelled' },
  cancel: { from: ['pending', 'deferred'], to: 'cancelled' },
} as const satisfies Record<DeliveryAct, { from: readonly DeliveryState[]; to: DeliveryState }>;

/** How the end of a delivery is called that a person took out. */
const ENDS = {
  redrive: null,
  release: null,
  discard: { code: 'DISCARDED' },
  cancel: { code: 'CANCELLED' },
} as const;

/**
 * Does what a person asks with one delivery, within `tx`. Answers the state it is in then, or, when nothing was done,
 * the state that forbids it; null: there is no such delivery. A delivery without a request cannot be sent, so it is
 * not redriven or released either. Wake the queue after the commit. `now` in ms.
 */
export async function act(
  tx: EntityManager,
  id: string,
  act: DeliveryAct,
  reason: string | null,
  now: number,
): Promise<{ readonly done: boolean; readonly state: DeliveryState } | null> {
  // Of two who act at once, and of an act and a claim, the second sees what the first has made of it.
  const [row] = await tx.query<{ state: DeliveryState }[]>(
    'select state from action_keys where id = $1 for update',
    [id],
  );
  if (!row) return null;
  const { from, to } = ACT_STATES[act];
  const possible = (from as readonly string[]).includes(row.state);
  if (!possible || (to === 'pending' && !(await hasRequest(tx, id))))
    return { done: false, state: row.state };
  if (to === 'pending') {
    // Attempts go on being counted, because their number is the fence; the schedule begins anew.
    await tx.query(
      `update action_keys set state = 'pending', due_at = $2, attempts_before = attempt, redriven_at = $2,
              code = null, reason = null, updated_at = now() where id = $1`,
      [id, new Date(now)],
    );
  } else {
    await tx.query(
      `update action_keys set state = 'cancelled', code = $2, reason = $3, updated_at = now() where id = $1`,
      [id, ENDS[act]?.code ?? null, reason?.replaceAll('\u0000', '') ?? null],
    );
  }
  return { done: true, state: to };
}

async function hasRequest(tx: EntityManager, id: string): Promise<boolean> {
  const [row] = await tx.query<{ there: boolean }[]>(
    `select json_typeof(request) <> 'null' as there from deliveries where id = $1`,
    [id],
  );
  return row?.there ?? false;
}
