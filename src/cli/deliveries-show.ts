import { printable } from '../config/terminal-text.js';
import type { Attempt, DeliveryDetail } from '../console/api/deliveries.schema.js';
import { type AdminPlace, withAdmin } from './admin.js';
import { pc } from './colours.js';
import { ListTable, thingTable } from './list-table.js';
import { print } from './output.js';
import { readableRequest } from '../action/readable-request.js';
import { shortText } from './value-text.js';
import { attemptOutcome, deliveryState, textOr, timeText } from './words.js';

const LONGEST_ANSWER = 300;

/** `aftersign deliveries show <id>`: what is sent, where, and what came of each attempt. */
export async function showDelivery(
  id: string,
  options: AdminPlace & { readonly json?: boolean },
): Promise<number> {
  return await withAdmin(options, async ({ deliveries }) => {
    const delivery = await deliveries.find(id);
    await print(options.json ? `${JSON.stringify(delivery)}\n` : textOf(delivery));
    return 0;
  });
}

function textOf(delivery: DeliveryDetail): string {
  const { attempts, request, masked } = delivery;
  const requestLines =
    request === null
      ? [pc.dim(masked ? 'masked for viewers 已隐去' : 'none 无: it was not rendered, or it was erased')]
      : JSON.stringify(readableRequest(request), null, 2).split('\n').map(printable);
  return `${[
    thingTable(aboutOf(delivery)),
    `\n${pc.bold('request 请求')}`,
    ...requestLines,
    `\n${pc.bold('attempts 尝试')} ${pc.dim(attempts.length === 0 ? 'none 无' : String(attempts.length))}`,
    ...(attempts.length > 0 ? [attemptTable(attempts)] : []),
  ].join('\n')}\n`;
}

function aboutOf(one: DeliveryDetail): [string, string][] {
  const why = [textOr(one.code), textOr(one.reason)].filter((text) => text !== '').join(': ');
  return [
    ['delivery 投递', pc.bold(printable(one.id))],
    ['rule 规则', `${printable(one.rule)} / ${printable(one.action)}`],
    ['target 目标', `${printable(one.target)} · ${printable(one.kind)}`],
    ['state 状态', `${deliveryState(one.state)}${why === '' ? '' : `\n${why}`}`],
    ['event 事件', `${printable(one.eventId)} · ${printable(one.occasion)}`],
    ['entity 实体', printable(one.entity)],
    [
      'key 动作键',
      `${printable(one.actionKey)}${one.generation > 0 ? ` · generation 代 ${one.generation}` : ''}`,
    ],
    ['made 产生', timeText(one.createdAt)],
    ...(one.state === 'pending' || one.state === 'deferred' ? [dueOf(one)] : []),
    ['changed 变动', timeText(one.updatedAt)],
    ...(one.redrivenAt === null ? [] : [['redriven 重投', timeText(one.redrivenAt)] as [string, string]]),
  ];
}

function dueOf({ dueAt }: DeliveryDetail): [string, string] {
  return ['due 应投', timeText(dueAt)];
}

function attemptTable(attempts: readonly Attempt[]): string {
  return new ListTable<Attempt>([
    { head: '#', text: ({ attempt }) => String(attempt), whole: true },
    { head: 'began 开始', text: ({ startedAt }) => timeText(startedAt), whole: true },
    {
      head: 'took\n用时',
      text: ({ durationMs }) => (durationMs === null ? '' : `${durationMs} ms`),
      whole: true,
    },
    {
      head: 'outcome\n结果',
      text: ({ outcome, ambiguous }) =>
        attemptOutcome(outcome, '\n') + (ambiguous ? pc.yellow('\nunanswered\n结果不明') : ''),
    },
    { head: 'status\n状态码', text: ({ status }) => (status === null ? '' : String(status)), whole: true },
    { head: 'code 代码', text: ({ code }) => textOr(code) },
    {
      head: 'detail 说明',
      text: ({ detail, answer }) =>
        [printable(detail), ...(answer === '' ? [] : [pc.dim(shortText(answer, LONGEST_ANSWER))])].join('\n'),
    },
  ])
    .page(attempts)
    .trimEnd();
}
