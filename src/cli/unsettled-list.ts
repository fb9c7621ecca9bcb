import { printable } from '../config/terminal-text.js';
import type { Unsettled, UnsettledQuery } from '../console/api/unsettled.schema.js';
import { type AdminPlace, withAdmin } from './admin.js';
import { type ListOptions, printPages } from './list-pages.js';
import { ListTable } from './list-table.js';
import { textOr, timeText, unsettledState } from './words.js';

/** Which verdicts are meant, as the options say it. */
export type UnsettledFilterOptions = Omit<UnsettledQuery, 'limit' | 'cursor'>;

/** `aftersign unsettled list` */
export async function listUnsettled(
  options: UnsettledFilterOptions & ListOptions & AdminPlace,
): Promise<number> {
  const { state, rule, entity } = options;
  return await withAdmin(
    options,
    async ({ unsettled }) =>
      await printPages(
        (page) => unsettled.list({ state, rule, entity, ...page }),
        options,
        unsettledTable(),
        'unsettled verdicts',
      ),
  );
}

/** A list of unsettled verdicts. */
export function unsettledTable(): ListTable<Unsettled> {
  return new ListTable([
    {
      head: 'event 事件\ntype 类型',
      text: ({ eventId, eventType }) => `${printable(eventId)}\n${textOr(eventType)}`,
      whole: true,
    },
    {
      head: 'rule 规则\nentity 实体',
      text: ({ rule, entity }) => `${printable(rule)}\n${printable(entity)}`,
    },
    { head: 'missing 缺失', text: ({ missing }) => missing.map(printable).join('\n'), whole: true },
    {
      head: 'state 状态\nuntil 截止',
      text: ({ state, until }) => `${unsettledState(state)}\n${timeText(until)}`,
      whole: true,
    },
  ]);
}
