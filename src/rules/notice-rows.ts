import type { EntityManager } from 'typeorm';
import type { Notice } from '../action/notice-store.js';

export const NOTICE_STATES = ['open', 'told', 'nobody'] as const;
export type NoticeState = (typeof NOTICE_STATES)[number];

/** A notice that nobody has been told of yet. */
export interface OpenNotice extends Notice {
  /** A UUIDv7. */
  readonly id: string;
  readonly createdAt: Date;
}

/** The oldest open notice that no other instance is telling; null: there is none. It is taken until the transaction ends. */
export async function takeNotice(tx: EntityManager): Promise<OpenNotice | null> {
  const [row] = await tx.query<OpenNotice[]>(
    `select id, kind, subject, rules, detail, created_at as "createdAt" from notices
      where state = 'open' order by id limit 1 for update skip locked`,
  );
  return row ?? null;
}

/** Whether somebody was told. */
export async function endNotice(
  tx: EntityManager,
  id: string,
  state: Exclude<NoticeState, 'open'>,
): Promise<void> {
  await tx.query('update notices set state = $2 where id = $1', [id, state]);
}

/** Forgets those of before a time (ms), up to `limit`. Answers how many. */
export async function forgetNotices(tx: EntityManager, before: number, limit: number): Promise<number> {
  const [, count] = await tx.query<[unknown[], number]>(
    `delete from notices where id in (select id from notices where created_at < $1 and state <> 'open' limit $2
                                         for update skip locked)`,
    [new Date(before), limit],
  );
  return count;
}
