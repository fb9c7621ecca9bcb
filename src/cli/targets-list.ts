import { printable } from '../config/terminal-text.js';
import type { Target } from '../console/api/targets.schema.js';
import { type AdminPlace, withAdmin } from './admin.js';
import { pc } from './colours.js';
import { ListTable } from './list-table.js';
import { print } from './output.js';
import { breakerState, textOr, timeText } from './words.js';

/** `aftersign targets list`: where deliveries go, and where they stand still. */
export async function listTargets(options: AdminPlace & { readonly json?: boolean }): Promise<number> {
  return await withAdmin(options, async ({ targets }) => {
    const found = await targets.list();
    if (options.json) await print(`${JSON.stringify(found)}\n`);
    else if (found.items.length === 0) process.stderr.write('No targets. 无记录。\n');
    else await print(table().page(found.items));
    return 0;
  });
}

function table(): ListTable<Target> {
  const count = (number: number, paint: (text: string) => string): string =>
    number === 0 ? pc.dim('0') : paint(String(number));
  return new ListTable([
    {
      head: 'target 目标\nrules 规则',
      text: ({ target, rules }) => `${printable(target)}\n${printable(rules.join(', '))}`,
    },
    {
      head: 'waiting 待投递\nsince 最早',
      text: (one) =>
        `${count(one.pending + one.delivering + one.deferred, pc.yellow)}\n${timeText(one.oldestPendingAt)}`,
      whole: true,
    },
    {
      head: 'breaker 熔断\nlimits 限流',
      text: ({ breaker, probeAt, failures, ...limits }) =>
        [
          `${breakerState(breaker)}${failures > 0 ? ` ${failures}×` : ''}`,
          limitsText(limits),
          ...(breaker === 'open' ? [timeText(probeAt)] : []),
        ].join('\n'),
      whole: true,
    },
    { head: 'held\n待放行', text: ({ held }) => count(held, pc.yellow), whole: true },
    { head: 'dead\n死信', text: ({ dead }) => count(dead, pc.red), whole: true },
    {
      head: 'delivered 最近送达\nfailed 最近失败',
      text: ({ lastDeliveredAt, lastFailedAt, lastCode }) =>
        `${timeText(lastDeliveredAt)}\n${[timeText(lastFailedAt), textOr(lastCode)].join(' ').trim()}`,
    },
  ]);
}

/** How many of how many are under way, and how many may begin in a time: `0/2 5/1s`. */
function limitsText({
  underWay,
  concurrency,
  rate,
}: Pick<Target, 'underWay' | 'concurrency' | 'rate'>): string {
  return [`${underWay}/${concurrency}`, ...(rate === null ? [] : [`${rate.max}/${rate.perMs / 1000}s`])].join(
    ' ',
  );
}
