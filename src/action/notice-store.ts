import { v7 as uuidv7 } from 'uuid';
import type { EntityManager } from 'typeorm';

/** The queue of notices that nobody has been told of yet. */
export const NOTICE_QUEUE = 'notices';

/** What deliveries of notices are under instead of a rule: no name of a rule has a colon. */
export const NOTICE_RULE = 'aftersign:notice';
/** And instead of an occasion. */
export const NOTICE_OCCASION = 'notice';

export const NOTICE_KINDS = [
  'target-failing',
  'target-recovered',
  'deliveries-dead',
  'brake-held',
  'silence-ending',
  'lookup-failing',
] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** Something that somebody has to be told. */
export interface Notice {
  readonly kind: NoticeKind;
  /** What it is about: a target lane, a target, `rule:<name>`, a silence's id, a look-up's name. */
  readonly subject: string;
  /** Whose owners are told; empty: whoever is named for all else. */
  readonly rules: readonly string[];
  /** What the text says. Plain JSON without secrets and without anything that an event brought. */
  readonly detail: Readonly<Record<string, string | number | null>>;
}

/** The same thing is told again after this many milliseconds at the earliest. */
export const NOTICE_PAUSE_MS = 3_600_000;

/**
 * Notes what somebody has to be told, within the transaction in which it happened. What was noted of the same subject
 * within the last hour is not noted again. Answers, for each, whether it was. Wake `NOTICE_QUEUE` after the commit.
 * `now` in ms.
 */
export async function raiseNotices(
  tx: EntityManager,
  notices: readonly Notice[],
  now: number,
): Promise<readonly boolean[]> {
  if (notices.length === 0) return [];
  const ids = notices.map((_, seq) => uuidv7({ msecs: now, seq }));
  const raised = await tx.query<{ id: string }[]>(
    `insert into notices (id, kind, subject, rules, detail, state, created_at)
     select id, kind, subject, array(select json_array_elements_text(rules)), detail, 'open', $6
       from unnest($1::uuid[], $2::text[], $3::text[], $4::json[], $5::json[]) as u (id, kind, subject, rules, detail)
      where not exists (select 1 from notices o where o.kind = u.kind and o.subject = u.subject and o.created_at > $7)
     returning id`,
    [
      ids,
      notices.map(({ kind }) => kind),
      notices.map(({ subject }) => subject),
      notices.map(({ rules }) => JSON.stringify(rules)),
      notices.map(({ detail }) => JSON.stringify(detail)),
      new Date(now),
      new Date(now - NOTICE_PAUSE_MS),
    ],
  );
  const known = new Set(raised.map(({ id }) => id));
  return ids.map((id) => known.has(id));
}
