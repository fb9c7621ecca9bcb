import { printable } from '../config/terminal-text.js';
import type { Entity, EntityStatus } from '../console/api/entities.schema.js';
import { type AdminPlace, withAdmin } from './admin.js';
import { pc } from './colours.js';
import { type Column, ListTable, thingTable } from './list-table.js';
import { print } from './output.js';
import { timerTable } from './timers.js';
import { unsettledTable } from './unsettled-list.js';
import { deliveryState, eventState, phaseWord, timeText } from './words.js';

type Labelled = { readonly zh: string; readonly en: string } | null;
type Node = Entity['nodes'][number];
type Task = Entity['tasks'][number];
type Transition = Entity['history'][number];

/** `aftersign state show <entity>`: what is known of an approval, and what is still to come of it. */
export async function showState(
  entity: string,
  options: AdminPlace & { readonly json?: boolean },
): Promise<number> {
  return await withAdmin(options, async ({ entities }) => {
    const found = await entities.find(entity);
    await print(options.json ? `${JSON.stringify(found)}\n` : textOf(found, Date.now()));
    return 0;
  });
}

function textOf(entity: Entity, now: number): string {
  const { nodes, tasks, history, timers, unsettled, events, deliveries, masked } = entity;
  return `${[
    thingTable(aboutOf(entity)),
    ...(masked ? [pc.dim('Personal values are masked for viewers. 个人信息已隐去。')] : []),
    ...part('nodes', '节点', nodes, new ListTable(NODE_COLUMNS)),
    ...part('tasks', '审批任务', tasks, new ListTable(TASK_COLUMNS)),
    ...part('history', '状态变迁', history, new ListTable(HISTORY_COLUMNS)),
    ...part('timers', '定时器', timers, timerTable(now)),
    ...part('unsettled verdicts', '未决判定', unsettled, unsettledTable()),
    ...part('events', '事件', events, new ListTable(EVENT_COLUMNS)),
    ...part('deliveries', '投递', deliveries, new ListTable(DELIVERY_COLUMNS)),
  ].join('\n')}\n`;
}

function aboutOf({ entity, status, endedAt, updatedAt }: Entity): [string, string][] {
  return [
    ['entity 实体', pc.bold(printable(entity))],
    ['status 状态', status ? statusText(status, ' ') : pc.dim('not known 未知')],
    ...(status ? [['since 自', timeText(status.since)] as [string, string]] : []),
    ...(endedAt === null ? [] : [['ended 结束', timeText(endedAt)] as [string, string]]),
    ...(updatedAt === null ? [] : [['updated 更新', timeText(updatedAt)] as [string, string]]),
  ];
}

function part<T>(en: string, zh: string, rows: readonly T[], table: ListTable<T>): string[] {
  const count = pc.dim(rows.length === 0 ? 'none 无' : String(rows.length));
  return [`\n${pc.bold(`${en} ${zh}`)} ${count}`, ...(rows.length > 0 ? [table.page(rows).trimEnd()] : [])];
}

const NODE_COLUMNS: readonly Column<Node>[] = [
  { head: 'node 节点', text: ({ id }) => printable(id) },
  { head: 'status 状态', text: ({ status }) => (status ? statusText(status) : pc.dim('not known 未知')) },
  { head: 'seen\n已见', text: ({ seen }) => String(seen), whole: true },
  { head: 'open\n待办', text: ({ pending }) => String(pending), whole: true },
  { head: 'done\n完成', text: ({ done }) => String(done), whole: true },
  { head: 'rejected\n拒绝', text: ({ rejected }) => String(rejected), whole: true },
  { head: 'cancelled\n取消', text: ({ cancelled }) => String(cancelled), whole: true },
  {
    head: 'complete\n已有结论',
    text: ({ complete }) =>
      complete === null ? pc.dim('not known\n未知') : complete ? pc.green('yes\n是') : 'no\n否',
    whole: true,
  },
];

const TASK_COLUMNS: readonly Column<Task>[] = [
  { head: 'task 任务', text: ({ id }) => printable(id) },
  { head: 'node 节点', text: ({ node }) => (node === null ? '' : printable(node)) },
  { head: 'status 状态', text: ({ status }) => statusText(status) },
  { head: 'since 自', text: ({ status }) => timeText(status.since), whole: true },
];

const HISTORY_COLUMNS: readonly Column<Transition>[] = [
  { head: 'when 时间', text: ({ at }) => timeText(at), whole: true },
  { head: 'what 对象', text: ({ level, id }) => `${level}:${printable(id)}` },
  {
    head: 'status 状态',
    text: ({ from, fromLabel, to, toLabel, kind }) => {
      const before = from === undefined ? pc.dim('?') : from === null ? '' : valueText(from, fromLabel);
      const arrow = `${before === '' ? '' : `${before} `}→ ${valueText(to, toLabel)}`;
      return kind === 'irregular' ? `${arrow}${pc.yellow(' irregular 异常')}` : arrow;
    },
  },
  { head: 'event 事件', text: ({ eventId }) => printable(eventId) },
];

const EVENT_COLUMNS: readonly Column<Entity['events'][number]>[] = [
  { head: 'id 编号', text: ({ id }) => printable(id), whole: true },
  { head: 'type 类型', text: ({ eventType }) => printable(eventType) },
  { head: 'received 接收', text: ({ receivedAt }) => timeText(receivedAt), whole: true },
  { head: 'state 状态', text: ({ state }) => eventState(state) },
];

const DELIVERY_COLUMNS: readonly Column<Entity['deliveries'][number]>[] = [
  { head: 'id 编号', text: ({ id }) => printable(id), whole: true },
  { head: 'rule 规则\naction 动作', text: ({ rule, action }) => `${printable(rule)}\n${printable(action)}` },
  { head: 'made 产生', text: ({ createdAt }) => timeText(createdAt), whole: true },
  { head: 'state 状态', text: ({ state }) => deliveryState(state) },
];

/** The value with its label; where there is none, what the status means. */
function statusText({ value, label, phase }: EntityStatus, between = '\n'): string {
  return `${valueText(value, label)}${between}${phaseWord(phase)}`;
}

function valueText(value: string | number, label: Labelled): string {
  const name =
    label === null
      ? ''
      : ` ${pc.cyan(printable(label.zh === label.en ? label.zh : `${label.zh} / ${label.en}`))}`;
  return `${printable(String(value))}${name}`;
}
