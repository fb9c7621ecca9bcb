import { type Command, InvalidArgumentError } from 'commander';
import type { Page, PageQuery } from '../console/api/page.js';
import type { ListTable } from './list-table.js';
import { print } from './output.js';

/** How much of a list is wanted, as the options say it. */
export interface ListOptions {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly all?: boolean | undefined;
  readonly json?: boolean | undefined;
}

const MOST = 200;

export function withListOptions(command: Command): Command {
  return command
    .option('--limit <n>', `how many, up to ${MOST}`, pageLimit, 50)
    .option('--cursor <text>', 'go on from the "next" of an earlier answer')
    .option('--all', 'all of them, page after page');
}

function pageLimit(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text) || Number(text) > MOST)
    throw new InvalidArgumentError(`It must be a number from 1 to ${MOST}.`);
  return Number(text);
}

/** Prints a list, a page or all of it. `what`: "events". Answers the exit code. */
export async function printPages<T>(
  fetch: (page: PageQuery) => Promise<Page<T>>,
  { limit, cursor, all = false, json = false }: ListOptions,
  table: ListTable<T>,
  what: string,
): Promise<number> {
  let page = await fetch({ limit: all ? MOST : limit, cursor });
  if (json && !all) {
    await print(`${JSON.stringify(page)}\n`);
    return 0;
  }
  if (page.items.length === 0 && !json) process.stderr.write(`No ${what}. 无记录。\n`);
  if (json) await print('{"items":[');
  for (let first = true; ; first = false) {
    const { items, next } = page;
    if (json)
      await print(items.map((one, at) => (first && at === 0 ? '' : ',') + JSON.stringify(one)).join(''));
    else if (items.length > 0) await print(table.page(items));
    if (next === null) break;
    if (!all) {
      process.stderr.write(`There are more 还有更多: --all, or --cursor ${next}\n`);
      break;
    }
    page = await fetch({ limit: MOST, cursor: next });
  }
  if (json) await print('],"next":null}\n');
  return 0;
}
