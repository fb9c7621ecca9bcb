import { printable } from '../config/terminal-text.js';
import type { Notice, NoticeQuery } from '../console/api/notices.schema.js';
import { type AdminPlace, withAdmin } from './admin.js';
import { type ListOptions, printPages } from './list-pages.js';
import { ListTable } from './list-table.js';
import { noticeKind, noticeState, timeText } from './words.js';

/** `aftersign notices list` */
export async function listNotices(
  options: Omit<NoticeQuery, 'limit' | 'cursor'> & ListOptions & AdminPlace,
): Promise<number> {
  const { state, kind, rule } = options;
  const table = new ListTable<Notice>([
    {
      head: 'time 时间\nstate 状态',
      text: ({ createdAt, state: stands }) => `${timeText(createdAt)}\n${noticeState(stands)}`,
      whole: true,
    },
    { head: 'what 事由', text: ({ kind: of }) => noticeKind(of, '\n'), whole: true },
    {
      head: 'about 对象\nrules 规则',
      text: ({ subject, rules }) => `${printable(subject)}\n${rules.map(printable).join(', ')}`,
    },
    {
      head: 'detail 详情',
      text: ({ detail }) =>
        Object.entries(detail)
          .flatMap(([name, value]) =>
            value === null ? [] : `${printable(name)} ${printable(String(value))}`,
          )
          .join('\n'),
    },
  ]);
  return await withAdmin(
    options,
    async ({ notices }) =>
      await printPages((page) => notices.list({ state, kind, rule, ...page }), options, table, 'notices'),
  );
}
