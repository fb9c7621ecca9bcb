import type { DataSource } from 'typeorm';
import type { NoticeKind } from '../../action/notice-store.js';
import type { NoticeState, OpenNotice } from '../../rules/notice-rows.js';
import type { Slice } from './slice.js';

export interface NoticeFilter {
  readonly state?: NoticeState | undefined;
  readonly kind?: NoticeKind | undefined;
  /** One of the rules that it is about. */
  readonly rule?: string | undefined;
}

export interface NoticeRow extends OpenNotice {
  readonly state: NoticeState;
}

/** What owners were told, or should have been. */
export class NoticeList {
  constructor(private readonly dataSource: DataSource) {}

  /** Up to `limit` + 1, the newest first. */
  async list({ state, kind, rule }: NoticeFilter, { limit, after }: Slice): Promise<NoticeRow[]> {
    return await this.dataSource.query<NoticeRow[]>(
      `select id, kind, subject, rules, detail, state, created_at as "createdAt" from notices
        where ($1::text is null or state = $1) and ($2::text is null or kind = $2)
          and ($3::text is null or $3 = any(rules)) and ($4::uuid is null or id < $4)
        order by id desc limit $5`,
      [state ?? null, kind ?? null, rule ?? null, after, limit + 1],
    );
  }
}
