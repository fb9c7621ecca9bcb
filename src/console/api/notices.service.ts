import type { NoticeList, NoticeRow } from '../read/notice-list.js';
import type { Notice, NoticeQuery } from './notices.schema.js';
import { type Page, pageOf, readCursor } from './page.js';
import { isoOf } from './schema-parts.js';

/** What owners of rules were told. Notices hold nothing that an event brought: all may read them. */
export class NoticesService {
  constructor(private readonly rows: NoticeList) {}

  /** The newest first. */
  async list({ limit, cursor, ...filter }: NoticeQuery): Promise<Page<Notice>> {
    const rows = await this.rows.list(filter, { limit, after: readCursor(cursor) });
    return pageOf(rows.map(noticeOf), limit);
  }
}

function noticeOf({ id, kind, subject, rules, detail, state, createdAt }: NoticeRow): Notice {
  return { id, kind, subject, rules: [...rules], detail: { ...detail }, state, createdAt: isoOf(createdAt) };
}
