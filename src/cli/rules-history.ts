import { printable } from '../config/terminal-text.js';
import type { RuleSetActivation } from '../console/api/rule-sets.schema.js';
import { type AdminPlace, withAdmin } from './admin.js';
import { pc } from './colours.js';
import { type ListOptions, printPages } from './list-pages.js';
import { ListTable } from './list-table.js';
import { textOr, timeText } from './words.js';

/** `aftersign rules history`: which rule set was live since when, who made it so, and why. */
export async function showHistory(options: ListOptions & AdminPlace): Promise<number> {
  const table = new ListTable<RuleSetActivation>([
    { head: '#', text: ({ number }) => String(number), whole: true },
    { head: 'live since 启用', text: ({ activatedAt }) => timeText(activatedAt), whole: true },
    {
      head: 'rule set 规则集',
      text: ({ hash, live }) => printable(hash.slice(0, 12)) + (live ? pc.green(' live 生效中') : ''),
      whole: true,
    },
    { head: 'by 操作人', text: ({ actor }) => textOr(actor, pc.dim('the service 服务')) },
    { head: 'why 原因', text: ({ reason }) => printable(reason) },
  ]);
  return await withAdmin(
    options,
    async ({ ruleSets }) => await printPages((page) => ruleSets.list(page), options, table, 'activations'),
  );
}
