import { printable } from '../config/terminal-text.js';
import type { ReplayPreviewAnswer } from '../console/api/replays.schema.js';
import { ListTable } from './list-table.js';
import { outcomeWord, verdictWord } from './words.js';

type Previewed = Pick<ReplayPreviewAnswer, 'asked' | 'verdicts' | 'skipped'>;

/** What would come of a replay or a recall, by rule and target. */
export function previewText({ asked, verdicts, skipped }: Previewed): string {
  const table = new ListTable<Previewed['asked'][number]>([
    { head: 'count\n数量', text: ({ count }) => String(count), whole: true },
    {
      head: 'what would come of it\n结果',
      text: ({ outcome, again }) => `${outcomeWord(outcome)}${again ? ' in its place 改发' : ''}`,
    },
    { head: 'rule / action 规则/动作', text: ({ rule, action }) => printable(`${rule} / ${action}`) },
    { head: 'target 目标', text: ({ target }) => printable(target ?? '') },
  ]);
  const others = verdicts.filter(({ verdict }) => verdict !== 'matched');
  return [
    asked.length === 0 ? 'No rule asks for anything. 没有规则要求投递。\n' : table.page(asked),
    ...others.map(({ rule, verdict, count }) => `${count} × ${printable(rule)}: ${verdictWord(verdict)}\n`),
    ...skipped.map(
      ({ code, count }) => `${count} × cannot be evaluated again 无法重放: ${printable(code)}\n`,
    ),
  ].join('');
}
