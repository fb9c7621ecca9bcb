import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { messageOf } from '../config/log.js';
import { Refusal } from '../config/problem.js';
import { utcDay } from '../config/utc-day.js';
import { ERASURE_REQUEST } from '../console/api/erasures.schema.js';
import { type AdminPlace, withAdmin } from './admin.js';
import { isAskable, saysYes } from './asked.js';
import { ListTable } from './list-table.js';
import { print } from './output.js';
import { eraseDays, type ErasedCounts } from './erased-days.js';
import { refuse } from './refuse.js';
import { readStandardInput } from './standard-input.js';

export interface EraseOptions extends AdminPlace {
  /** One value a line; else they stand on standard input. */
  readonly valuesFile?: string | undefined;
  readonly dryRun?: boolean | undefined;
  /** Nobody is asked. */
  readonly yes?: boolean | undefined;
  readonly json?: boolean | undefined;
}

const DAY_MS = 86_400_000;

/**
 * `aftersign events erase`: removes what is stored of a person, day after day. The values that name the person are no
 * parameters, because others on the machine see those. Exit code 1 when something was under way to the end.
 */
export async function eraseEvents(options: EraseOptions): Promise<number> {
  const { dryRun = false, yes = false, json = false } = options;
  const isTerminal = isAskable();
  const values = await valuesOf(options, isTerminal);
  if (typeof values === 'string') {
    process.stderr.write(`${values}\n`);
    return 2;
  }
  if (!dryRun && !yes && !isTerminal) {
    process.stderr.write('What is erased is gone: say so with --yes, or look first with --dry-run.\n');
    return 2;
  }
  return await withAdmin(options, async ({ erasures }) => {
    const days = daysBetween(await erasures.days());
    if (days.length > 0 && !dryRun && !yes && !(await confirmed(values.length, days)))
      return refuse('NOT_CONFIRMED', 'nothing was erased');
    const { counts, unfinished } = await eraseDays(erasures, values, days, dryRun);
    if (json)
      await print(
        `${JSON.stringify({ dryRun, days: days.length, ...counts, complete: unfinished.length === 0 })}\n`,
      );
    else await print(textOf(counts, dryRun));
    if (unfinished.length === 0 || dryRun) return 0;
    return refuse(
      'ERASURE_UNFINISHED',
      `${counts.underWay} events and deliveries of ${unfinished.join(', ')} were being decided or sent all the time: run the same command again later`,
    );
  });
}

/** Answers a sentence when they cannot be used. */
async function valuesOf({ valuesFile }: EraseOptions, isTerminal: boolean): Promise<string[] | string> {
  let text: string;
  try {
    if (valuesFile !== undefined) text = await readFile(valuesFile, 'utf8');
    else {
      if (isTerminal)
        process.stderr.write(
          'Who is to be erased? One value a line (user id, e-mail, name …), then an empty line.\n',
        );
      text = isTerminal ? await linesUntilEmpty() : await readStandardInput();
    }
  } catch (error) {
    return `The values cannot be read: ${messageOf(error)}`;
  }
  const values = [
    ...new Set(
      text
        .replace(/^\uFEFF/, '')
        .split(/\r?\n/)
        .map((line) => line.trim()),
    ),
  ].filter((line) => line !== '');
  if (values.length === 0)
    return 'No values: one a line, on standard input or in a file named by --values-file.';
  const checked = ERASURE_REQUEST.shape.values.safeParse(values);
  // The values themselves are not repeated.
  return checked.success
    ? values
    : 'The values must be 1 to 10 that name one person, each of 4 to 200 characters, one a line.';
}

async function linesUntilEmpty(): Promise<string> {
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  const lines: string[] = [];
  for await (const line of reader) {
    if (line.trim() === '') break;
    lines.push(line);
  }
  reader.close();
  return lines.join('\n');
}

async function confirmed(values: number, days: readonly string[]): Promise<boolean> {
  const span = `${days[0] ?? ''} to ${days.at(-1) ?? ''}`;
  return await saysYes(
    `Everything in events from ${span} that holds ${values === 1 ? 'this value' : `one of these ${values} values`} is erased and cannot be brought back (--dry-run only counts).\n确认抹除? Type "yes" to go on: `,
  );
}

function daysBetween({ first, last }: { first: string | null; last: string | null }): string[] {
  if (first === null || last === null) return [];
  const days: string[] = [];
  for (let time = Date.parse(first); time <= Date.parse(last); time += DAY_MS) days.push(utcDay(time));
  if (days.length === 0) throw new Refusal(502, 'SERVER_ANSWER', `the days ${first} to ${last} are none`);
  return days;
}

function textOf(counts: ErasedCounts, dryRun: boolean): string {
  const rows: [string, number][] = [
    ['events 事件', counts.events],
    ['evaluations 求值', counts.evaluations],
    ['deliveries 投递', counts.deliveries],
    ['attempts 尝试', counts.attempts],
    ['look-ups 查询', counts.lookups],
    ['cancelled 已取消', counts.cancelled],
    ['under way 进行中', counts.underWay],
  ];
  return new ListTable<[string, number]>([
    { head: dryRun ? 'would be erased 将抹除' : 'erased 已抹除', text: ([what]) => what },
    { head: '', text: ([, count]) => String(count) },
  ]).page(rows);
}
