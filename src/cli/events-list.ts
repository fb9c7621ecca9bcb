import { printable } from '../config/terminal-text.js';
import type { Event } from '../console/api/events.schema.js';
import { type AdminPlace, withAdmin } from './admin.js';
import { pc } from './colours.js';
import { type EventFilterOptions, eventFilterOf } from './event-filter.js';
import { type ListOptions, printPages } from './list-pages.js';
import { ListTable } from './list-table.js';
import { eventState, textOr, timeText } from './words.js';

/** `aftersign events list`: the events that a filter finds, the newest first. */
export async function listEvents(options: EventFilterOptions & ListOptions & AdminPlace): Promise<number> {
  const filter = eventFilterOf(options);
  const table = new ListTable<Event>([
    {
      head: 'id 编号\nreceived 接收',
      text: ({ id, receivedAt }) => `${printable(id)}\n${timeText(receivedAt)}`,
      whole: true,
    },
    {
      head: 'type 类型\nentity 实体',
      text: ({ eventType, rootEntity }) => `${printable(eventType)}\n${textOr(rootEntity)}`,
    },
    {
      head: 'state\n状态',
      text: ({ state, erased }) => eventState(state, '\n') + (erased ? pc.dim(' erased 已抹除') : ''),
    },
    { head: 'rules\n规则', text: rulesText, whole: true },
    { head: 'sent\n投递', text: ({ deliveries }) => String(deliveries), whole: true },
  ]);
  return await withAdmin(
    options,
    async ({ events }) =>
      await printPages((page) => events.list({ ...filter, ...page }), options, table, 'events'),
  );
}

/** How many rules matched, were unknown, failed; nothing when none was asked. */
function rulesText({ matched, unknown, errors }: Event): string {
  if (matched === null) return '';
  return [
    matched > 0 ? pc.green(`✓${matched}`) : pc.dim('✗'),
    ...(unknown ? [pc.yellow(`?${unknown}`)] : []),
    ...(errors ? [pc.red(`!${errors}`)] : []),
  ].join(' ');
}
