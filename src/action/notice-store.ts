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
  'not-rendered',
  'brake-held',
  'silence-ending',
  'lookup-failing',
  'unread-value',
  'unknown-value',
  'silent-rule',
  'failing-condition',
  'lost-events',
] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** Something that somebody has to be told. */
export interface Notice {
  readonly kind: NoticeKind;
  /** What it is about: a target lane, a target, `rule:<name>`, a silence's id, a look-up's name, what the radar has found. */
  readonly subject: string;
  /** Whose owners are told; empty: whoever is named for all else. */
  readonly rules: readonly string[];
  /** What the text says. Plain JSON without secrets and without anything that an event brought. */
  readonly detail: Readonly<Record<string, string | number | null>>;
}

/** The same thing is told again after this many milliseconds at the earliest. */
export const NOTICE_PAUSE_MS = 3_600_000;

/** Of the locks that keep one subject from being noted twice at a time. */
const LOCK_SPACE = 4157;

/**
 * Notes what somebody has to be told, within the transaction in which it happened. What was noted of the same subject
 * within the last hour, or is being noted just now, is not noted again; but that a target has recovered is, for whoever was
 * told that it fails waits for that. The address of a person stands for the lane of
 * all such addresses: a notice is read by others. Answers, for each, whether it was noted. Wake `NOTICE_QUEUE` after
 * the commit. `now` in ms.
 */
export async function raiseNotices(
  tx: EntityManager,
  notices: readonly Notice[],
  now: number,
): Promise<readonly boolean[]> {
  if (notices.length === 0) return [];
  const all = notices.map((notice) => ({ ...notice, subject: withoutPerson(notice.subject) }));
  const locked = await lockOf(tx, all);
  const fresh = [...together(all).values()].filter((one) => locked.has(keyOf(one)));
  const ids = fresh.map((_, seq) => uuidv7({ msecs: now, seq }));
  const raised = await tx.query<{ id: string }[]>(
    `insert into notices (id, kind, subject, rules, detail, state, created_at)
     select id, kind, subject, array(select json_array_elements_text(rules)), detail, 'open', $6
       from unnest($1::uuid[], $2::text[], $3::text[], $4::json[], $5::json[]) as u (id, kind, subject, rules, detail)
      where not exists (select 1 from notices o where o.kind = u.kind and o.subject = u.subject and o.created_at > $7 and u.kind <> 'target-recovered')
     returning id`,
    [
      ids,
      fresh.map(({ kind }) => kind),
      fresh.map(({ subject }) => subject),
      fresh.map(({ rules }) => JSON.stringify(rules)),
      fresh.map(({ detail }) => JSON.stringify(detail)),
      new Date(now),
      new Date(now - NOTICE_PAUSE_MS),
    ],
  );
  const known = new Set(raised.map(({ id }) => id));
  const noted = new Set(fresh.filter((_, index) => known.has(ids[index] ?? '')).map(keyOf));
  return all.map((one) => noted.has(keyOf(one)));
}

/** That deliveries of a rule could not be made. `count`: so many at once; `code`: why the first of them could not. */
export function notRendered(rule: string, count: number, code: string | null): Notice {
  return { kind: 'not-rendered', subject: `rule:${rule}`, rules: [rule], detail: { count, code } };
}

type Subject = Pick<Notice, 'kind' | 'subject'>;

const keyOf = ({ kind, subject }: Subject): string => `${kind} ${subject}`;

function withoutPerson(subject: string): string {
  if (subject.startsWith('email:')) return 'email';
  return subject.startsWith('feishu-message:') ? 'feishu' : subject;
}

/** Of one subject one notice, for the rules of all of them; it says what the first says. */
function together(notices: readonly Notice[]): ReadonlyMap<string, Notice> {
  const found = new Map<string, Notice>();
  for (const notice of notices) {
    const before = found.get(keyOf(notice));
    const rules = [...new Set([...(before?.rules ?? []), ...notice.rules])];
    found.set(keyOf(notice), { ...(before ?? notice), rules });
  }
  return found;
}

/**
 * The subjects that nobody else is noting just now. Whoever is has the lock until its commit; should it fail, its work is
 * done again, and noted then. A statement of its own, so that the next one sees what was committed before the lock.
 */
async function lockOf(tx: EntityManager, notices: readonly Subject[]): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ key: string }[]>(
    'select key from unnest($1::text[]) as u (key) where pg_try_advisory_xact_lock($2, hashtext(key))',
    [[...new Set(notices.map(keyOf))], LOCK_SPACE],
  );
  return new Set(rows.map(({ key }) => key));
}
