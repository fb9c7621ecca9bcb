import { printable } from '../config/terminal-text.js';
import type { Delivery } from '../console/api/deliveries.schema.js';
import { ListTable } from './list-table.js';
import { deliveryState, textOr, timeText } from './words.js';

/** A list of deliveries. */
export function deliveryTable(): ListTable<Delivery> {
  return new ListTable([
    {
      head: 'id 编号\nmade 产生',
      text: ({ id, createdAt }) => `${printable(id)}\n${timeText(createdAt)}`,
      whole: true,
    },
    {
      head: 'rule 规则\naction 动作',
      text: ({ rule, action }) => `${printable(rule)}\n${printable(action)}`,
    },
    {
      head: 'target 目标\nentity 实体',
      text: ({ target, entity }) => `${printable(target)}\n${printable(entity)}`,
    },
    { head: 'state\n状态', text: ({ state }) => deliveryState(state, '\n'), whole: true },
    { head: 'tries\n次数', text: ({ attempt }) => String(attempt), whole: true },
    { head: 'code\n代码', text: ({ code }) => textOr(code) },
  ]);
}
