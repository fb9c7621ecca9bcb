import { printable } from '../config/terminal-text.js';
import type { EventDetail, Fact } from '../console/api/events.schema.js';
import { type AdminPlace, withAdmin } from './admin.js';
import { pc } from './colours.js';
import { deliveryTable } from './delivery-table.js';
import { ListTable, thingTable } from './list-table.js';
import { print } from './output.js';
import { valueText } from './value-text.js';
import { amount, eventState, suppressionText, textOr, timeText, verdictWord } from './words.js';

/** `aftersign events show <id>`: what an event says, what the rules said, and what was sent. */
export async function showEvent(
  id: string,
  options: AdminPlace & { readonly json?: boolean },
): Promise<number> {
  return await withAdmin(options, async ({ events }) => {
    const event = await events.find(id);
    await print(options.json ? `${JSON.stringify(event)}\n` : textOf(event));
    return 0;
  });
}

function textOf(event: EventDetail): string {
  const { verdicts, suppressions, deliveries, facts, erased, masked } = event;
  const told = verdicts.filter(({ verdict }) => verdict !== 'not matched');
  const others = verdicts.length - told.length;
  const parts = [
    thingTable(aboutOf(event)),
    ...(erased ? [pc.yellow('What it said was erased. 内容已抹除。')] : []),
    ...(masked ? [pc.dim('Personal values are masked for viewers. 个人信息已隐去。')] : []),
    ...(facts.length > 0 ? [factTable(facts)] : []),
    heading('rules', '规则', verdicts.length),
    ...(told.length > 0 ? [verdictTable(told)] : []),
    ...(others > 0
      ? [pc.dim(`${amount(others, 'more rule')} did not match 未命中: see "aftersign explain"`)]
      : []),
    ...suppressions.map(suppressionText),
    heading('deliveries', '投递', deliveries.length),
    ...(deliveries.length > 0 ? [deliveryTable().page(deliveries).trimEnd()] : []),
  ];
  return `${parts.join('\n')}\n`;
}

function heading(en: string, zh: string, count: number): string {
  return `\n${pc.bold(`${en} ${zh}`)} ${pc.dim(count === 0 ? 'none 无' : String(count))}`;
}

function aboutOf(event: EventDetail): [string, string][] {
  return [
    ['event 事件', pc.bold(printable(event.eventId))],
    ['id 编号', printable(event.id)],
    ['type 类型', printable(event.eventType)],
    ['origin 来源', `${printable(event.origin)} · ${printable(event.source)}`],
    ['entity 实体', textOr(event.rootEntity)],
    ['happened 发生', timeText(event.createTime)],
    [
      'received 接收',
      timeText(event.receivedAt) + (event.duplicates > 0 ? ` · again 重复 ${event.duplicates}` : ''),
    ],
    [
      'state 状态',
      `${eventState(event.state)}${event.reason === null ? '' : `\n${printable(event.reason)}`}`,
    ],
  ];
}

function factTable(facts: readonly Fact[]): string {
  return new ListTable<Fact>([
    {
      head: 'fact 事实',
      text: ({ name, personal }) => printable(name) + (personal ? pc.dim(' personal 个人') : ''),
    },
    { head: 'name 名称', text: ({ label }) => (label ? pc.cyan(labelText(label)) : '') },
    {
      head: 'value 值',
      text: ({ value, valueLabel }) =>
        `${valueText(value)}${valueLabel ? ` ${pc.cyan(labelText(valueLabel))}` : ''}`,
    },
  ])
    .page(facts)
    .trimEnd();
}

function labelText({ zh, en }: { readonly zh: string; readonly en: string }): string {
  return printable(zh === en ? zh : `${zh} / ${en}`);
}

function verdictTable(verdicts: EventDetail['verdicts']): string {
  return new ListTable<EventDetail['verdicts'][number]>([
    { head: 'rule 规则', text: ({ rule }) => printable(rule) },
    { head: 'verdict 判定', text: ({ verdict }) => verdictWord(verdict) },
    {
      head: 'why 原因',
      text: ({ missing, error, cause }) =>
        [
          ...(missing && missing.length > 0 ? [`missing 缺失 ${printable(missing.join(', '))}`] : []),
          ...(error === undefined ? [] : [printable(error)]),
          ...(cause === undefined ? [] : [printable(cause)]),
        ].join(' · '),
    },
    { head: 'occasion 缘由', text: ({ occasion }) => printable(occasion) },
  ])
    .page(verdicts)
    .trimEnd();
}
