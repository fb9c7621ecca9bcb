import { Refusal } from '../config/problem.js';
import { printable } from '../config/terminal-text.js';
import type { Timer, TimerQuery } from '../console/api/timers.schema.js';
import { type AdminPlace, withAdmin } from './admin.js';
import { pc } from './colours.js';
import { type ListOptions, printPages } from './list-pages.js';
import { ListTable } from './list-table.js';
import { print } from './output.js';
import { refuse } from './refuse.js';
import { distanceText, textOr, timerState, timeText } from './words.js';

/** Which timers are meant, as the options say it. */
export type TimerFilterOptions = Omit<TimerQuery, 'limit' | 'cursor'>;

/** What `--json` prints for each timer. */
type Outcome =
  | { readonly id: string; readonly done: true; readonly timer: Timer }
  | { readonly id: string; readonly done: false; readonly code: string; readonly detail: string };

/** `aftersign timers list` */
export async function listTimers(options: TimerFilterOptions & ListOptions & AdminPlace): Promise<number> {
  const { state, rule, entity, dueBefore } = options;
  const filter = { state, rule, entity, dueBefore };
  return await withAdmin(
    options,
    async ({ timers }) =>
      await printPages(
        (page) => timers.list({ ...filter, ...page }),
        options,
        timerTable(Date.now()),
        'timers',
      ),
  );
}

/** A list of timers. `now` in ms. */
export function timerTable(now: number): ListTable<Timer> {
  return new ListTable([
    {
      head: 'id 编号\ndue 到期',
      text: (timer) => `${printable(timer.id)}\n${dueText(timer, now)}`,
      whole: true,
    },
    { head: 'rule 规则\nstep 步骤', text: ({ rule, step }) => `${printable(rule)}\n${printable(step)}` },
    {
      head: 'for 对象\nentity 实体',
      text: ({ subject, entity }) => `${printable(subject)}\n${printable(entity)}`,
    },
    {
      head: 'state 状态\narmed 开始计时',
      text: ({ state, armedAt }) => `${timerState(state)}\n${timeText(armedAt)}`,
      whole: true,
    },
    {
      head: 'sent 已发\nwhy 原因',
      text: ({ sent, code, reason }) =>
        `${printable(sent.join(', '))}\n${[textOr(code), textOr(reason)].filter((text) => text !== '').join(': ')}`,
    },
  ]);
}

function dueText({ state, dueAt }: Timer, now: number): string {
  if (state !== 'armed' && state !== 'asking') return pc.dim(timeText(dueAt));
  const isLate = Date.parse(dueAt) < now;
  const distance = distanceText(dueAt, now);
  return `${timeText(dueAt)} ${isLate ? pc.red(distance) : pc.dim(distance)}`;
}

/** `aftersign timers cancel <id…>`: each by itself. Exit code 1 when one is refused; the others are done all the same. */
export async function cancelTimers(
  ids: readonly string[],
  options: AdminPlace & { readonly reason?: string; readonly json?: boolean },
): Promise<number> {
  const { reason, json = false } = options;
  return await withAdmin(options, async ({ timers }) => {
    const outcomes: Outcome[] = [];
    for (const id of new Set(ids)) {
      try {
        const timer = await timers.cancel(id, reason === undefined ? {} : { reason });
        outcomes.push({ id, done: true, timer });
        if (!json)
          await print(
            `${printable(id)}  ${printable(timer.rule)} / ${printable(timer.subject)}: ${timerState(timer.state)}\n`,
          );
      } catch (error) {
        // What is about this timer leaves the others; what is about us or the server does not.
        if (!(error instanceof Refusal) || ![404, 409].includes(error.status)) throw error;
        const { code, detail } = error;
        outcomes.push({ id, done: false, code, detail });
        refuse(code, printable(`${id}: ${detail}`));
      }
    }
    if (json) await print(`${JSON.stringify({ items: outcomes })}\n`);
    return outcomes.every(({ done }) => done) ? 0 : 1;
  });
}
