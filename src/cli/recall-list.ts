import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { Refusal } from '../config/problem.js';
import { messageOf } from '../config/log.js';
import { printable } from '../config/terminal-text.js';
import type { RecalledDelivery, RecallSelectionQuery } from '../console/api/recalls.schema.js';
import type { Admin } from './admin.js';
import { ListTable } from './list-table.js';
import { print } from './output.js';
import { refuse } from './refuse.js';
import { deliveryState } from './words.js';

/** A rule, and which of its deliveries. */
type Query = Omit<RecallSelectionQuery, 'limit' | 'cursor'> & { readonly rule: string };

const PAGE = 200;
const COLUMNS = [
  'id',
  'createdAt',
  'rule',
  'action',
  'kind',
  'target',
  'entity',
  'eventId',
  'occasion',
  'generation',
  'state',
  'code',
  'attempt',
  'actionKey',
  'decidedBy',
] as const satisfies readonly (keyof RecalledDelivery)[];

/** `aftersign recall <rule> --list`: what it would be about, by action, target and state. */
export async function listRecall(recalls: Admin['recalls'], query: Query, json: boolean): Promise<number> {
  const sums = new Map<string, { action: string; target: string; state: string; count: number }>();
  for await (const { action, target, state } of all(recalls, query)) {
    const key = JSON.stringify([action, target, state]);
    const sum = sums.get(key);
    if (sum) sum.count += 1;
    else sums.set(key, { action, target, state, count: 1 });
  }
  const rows = [...sums.values()].sort((a, b) => b.count - a.count);
  const total = rows.reduce((sum, { count }) => sum + count, 0);
  if (json) {
    await print(`${JSON.stringify({ deliveries: total, targets: rows })}\n`);
    return 0;
  }
  const table = new ListTable<(typeof rows)[number]>([
    { head: 'count\n数量', text: ({ count }) => String(count), whole: true },
    { head: 'state\n状态', text: ({ state }) => deliveryState(state, '\n') },
    { head: 'action 动作', text: ({ action }) => printable(action) },
    { head: 'target 目标', text: ({ target }) => printable(target) },
  ]);
  await print(rows.length === 0 ? '' : table.page(rows));
  process.stderr.write(`${many(total)}. 共 ${total} 个投递。\n`);
  return 0;
}

/** `--export`: each of them on a line; the file is there when it is complete. */
export async function exportRecall(
  recalls: Admin['recalls'],
  query: Query,
  path: string,
  force: boolean,
  json: boolean,
): Promise<number> {
  if (!force && (await exists(path)))
    return refuse('FILE_EXISTS', `${path} is there already: --force replaces it`);
  const csv = path.toLowerCase().endsWith('.csv');
  const unfinished = `${path}.unfinished`;
  let file: FileHandle | undefined;
  let count = 0;
  try {
    file = await opened(unfinished, path);
    if (csv) await file.writeFile(`${COLUMNS.join(',')}\n`);
    for await (const one of all(recalls, query)) {
      await file.writeFile(`${csv ? csvLine(one) : JSON.stringify(one)}\n`);
      count += 1;
    }
    await file.sync();
    await file.close();
    await rename(unfinished, path);
  } catch (error) {
    await file?.close().catch(() => undefined);
    if (file) await rm(unfinished, { force: true });
    throw error;
  }
  if (json) await print(`${JSON.stringify({ deliveries: count, output: path })}\n`);
  else process.stderr.write(`${many(count)} exported to ${path}. 已导出 ${count} 个投递。\n`);
  return 0;
}

async function* all(recalls: Admin['recalls'], { rule, ...query }: Query): AsyncGenerator<RecalledDelivery> {
  let cursor: string | undefined;
  do {
    const page = await recalls.selection(rule, { ...query, limit: PAGE, cursor });
    yield* page.items;
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
}

/** A text that a spreadsheet would take for a formula begins with an apostrophe. */
function csvLine(one: RecalledDelivery): string {
  return COLUMNS.map((column) => {
    const text = String(one[column] ?? '');
    const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }).join(',');
}

async function opened(unfinished: string, path: string): Promise<FileHandle> {
  try {
    // What deliveries hold is for whoever exports them.
    return await open(unfinished, 'w', 0o600);
  } catch (error) {
    throw new Refusal(409, 'FILE_UNWRITABLE', `${path} cannot be written: ${messageOf(error)}`);
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

function many(count: number): string {
  return `${count} ${count === 1 ? 'delivery' : 'deliveries'}`;
}
