import { setTimeout as pause } from 'node:timers/promises';
import { printable } from '../config/terminal-text.js';
import type { Replay, ReplayDetail } from '../console/api/replays.schema.js';
import type { Admin } from './admin.js';
import { ListTable } from './list-table.js';
import { type ListOptions, printPages } from './list-pages.js';
import { print } from './output.js';
import { progressOn } from './progress.js';
import { refuse } from './refuse.js';
import { outcomeWord, recallOutcome, replayState, timeText } from './words.js';

type Orders = Admin['replays'] | Admin['recalls'];

const EVERY_MS = 300;
const OPEN: readonly Replay['state'][] = ['pending', 'running'];

/**
 * Follows an order until it has ended, working at it when no service does, and says what came of it. Exit code 1 when it
 * was stopped or something could not be done.
 */
export async function followReplay(orders: Orders, id: string, json: boolean): Promise<number> {
  const progress = progressOn(process.stderr, { doing: 'working', done: 'done', what: 'events' });
  let told: ReplayDetail;
  try {
    told = await orders.working(id, async () => {
      for (;;) {
        const now = await orders.find(id);
        const { total, waiting } = now.events;
        progress.step(total - waiting, total);
        if (!OPEN.includes(now.state)) return now;
        await pause(EVERY_MS);
      }
    });
  } finally {
    progress.end();
  }
  await print(json ? `${JSON.stringify(told)}\n` : replayText(told));
  for (const { code, count } of leftOf(told)) refuse(printable(code), `${count} events left 未处理`);
  return told.state === 'done' && told.events.failed === 0 ? 0 : 1;
}

/** `aftersign replay --list` and `aftersign recall --list`. */
export async function listReplays(orders: Orders, options: { readonly json?: boolean }): Promise<number> {
  const table = new ListTable<Replay>([
    {
      head: 'id 编号\nordered 下达',
      text: ({ id, createdAt }) => `${id}\n${timeText(createdAt)}`,
      whole: true,
    },
    { head: 'state\n状态', text: ({ state }) => replayState(state, '\n') },
    {
      head: 'rule 规则\nby 操作人',
      text: ({ rule, createdBy }) => `${printable(rule ?? '*')}\n${printable(createdBy)}`,
    },
    {
      head: 'events\n事件',
      text: ({ events }) => `${events.total - events.waiting} / ${events.total}`,
      whole: true,
    },
    { head: 'what came of it 结果', text: (one) => countsText(one, '\n') },
  ]);
  const pages: ListOptions = { limit: 50, all: true, json: options.json };
  return await printPages((page) => orders.list(page), pages, table, 'orders');
}

function replayText(told: ReplayDetail): string {
  const { kind, id, state, events, code, detail, occasion } = told;
  const why = code === null ? '' : `: ${printable(code)}${detail === null ? '' : ` ${printable(detail)}`}`;
  return [
    `${kind === 'replay' ? 'replay 重放' : 'recall 召回'} ${id}: ${replayState(state)}${why}`,
    `events 事件: ${events.done} done 已处理, ${events.skipped} skipped 跳过, ${events.failed} failed 失败`,
    ...(countsText(told, ', ') === '' ? [] : [`came of it 结果: ${countsText(told, ', ')}`]),
    `deliveries 投递: aftersign deliveries list --occasion ${occasion}\n`,
  ].join('\n');
}

function countsText({ counts, deliveries }: Replay, between: string): string {
  const recalled = Object.entries(deliveries ?? {}).filter(([what, count]) => what !== 'total' && count > 0);
  return [
    ...recalled.map(([what, count]) => `${count} ${recallOutcome(what)}`),
    ...counts.map(({ outcome, count }) => `${count} ${outcomeWord(outcome)}`),
  ].join(between);
}

function leftOf({ left }: ReplayDetail): { readonly code: string; readonly count: number }[] {
  const failed = left.filter(({ state }) => state === 'failed');
  return [...Map.groupBy(failed, ({ code }) => code ?? 'FAILED')].map(([code, all]) => ({
    code,
    count: all.length,
  }));
}
