import type { EntityManager } from 'typeorm';
import { waitForLanes } from '../queue/lanes.js';
import type { CancelCause } from './ladder.js';

const CAUSE: CancelCause = 'CANCELLED_BY_PERSON';

/**
 * Cancels a ladder that is armed, or waits for the answer to a question, for a person. Answers whether that was done
 * just now; null: there is no ladder of this id. Waits for whoever decides in the lane of its root entity: either the
 * step that is due has been sent then, or it never is. `now` in ms.
 */
export async function cancelTimer(
  tx: EntityManager,
  id: string,
  reason: string | null,
  now: number,
): Promise<{ readonly done: boolean; readonly state: string } | null> {
  const [timer] = await tx.query<{ lane: number }[]>('select lane from timers where id = $1', [id]);
  if (!timer) return null;
  await waitForLanes(tx, [timer.lane]);
  const [[changed]] = await tx.query<[{ state: string }[], number]>(
    `update timers set state = 'cancelled', code = $2, reason = $3, lease_until = null, leased_by = null, updated_at = $4
      where id = $1 and state in ('armed', 'asking', 'fetching') returning state`,
    [id, CAUSE, reason, new Date(now)],
  );
  if (changed) return { done: true, state: changed.state };
  const [row] = await tx.query<{ state: string }[]>('select state from timers where id = $1', [id]);
  return row ? { done: false, state: row.state } : null;
}
