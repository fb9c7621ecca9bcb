import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { Refusal } from '../config/problem.js';
import { messageOf } from '../config/log.js';
import { type AdminPlace, withAdmin } from './admin.js';
import { type EventFilterOptions, eventFilterOf } from './event-filter.js';
import { print } from './output.js';
import { progressOn } from './progress.js';
import { refuse } from './refuse.js';
import { amount } from './words.js';

export interface ExportOptions extends EventFilterOptions, AdminPlace {
  /** Not standard output. */
  readonly output?: string | undefined;
  /** An existing file may be replaced. */
  readonly force?: boolean | undefined;
  /** With what is recorded of the decisions. */
  readonly recorded?: boolean | undefined;
  readonly json?: boolean | undefined;
}

const NEWLINE = 10;

/**
 * `aftersign events export`: the events that a filter finds, one a line, as "events import" takes them. A file is there
 * when it is complete, and not before; on standard output no line is ever cut in two.
 */
export async function exportEvents(options: ExportOptions): Promise<number> {
  const { output, force = false, recorded = false } = options;
  if (output !== undefined && !force && (await exists(output)))
    return refuse('FILE_EXISTS', `${output} is there already: --force replaces it`);
  return await withAdmin(options, async ({ events }) => {
    const lines = wholeLines(events.export({ ...eventFilterOf(options), recorded: recorded || undefined }));
    const progress = progressOn(process.stderr, { doing: 'exporting', done: 'exported', what: 'events' });
    let count = 0;
    const counted = (inLines: Buffer): void => {
      for (const byte of inLines) if (byte === NEWLINE) count += 1;
      progress.step(count, null);
    };
    try {
      await (output === undefined ? toStandardOutput(lines, counted) : toFile(output, lines, counted));
    } catch (error) {
      if (!(error instanceof Refusal) || count === 0) throw error;
      throw new Refusal(error.status, 'EXPORT_STOPPED', `after ${amount(count, 'event')}: ${error.detail}`);
    } finally {
      progress.end();
    }
    const place = output === undefined ? '' : ` to ${output}`;
    if (options.json && output !== undefined) await print(`${JSON.stringify({ events: count, output })}\n`);
    else process.stderr.write(`${amount(count, 'event')} exported${place}. 已导出 ${count} 个事件。\n`);
    return 0;
  });
}

async function toStandardOutput(
  lines: AsyncIterable<Buffer>,
  counted: (lines: Buffer) => void,
): Promise<void> {
  for await (const some of lines) {
    await print(some);
    counted(some);
  }
}

async function toFile(
  path: string,
  lines: AsyncIterable<Buffer>,
  counted: (lines: Buffer) => void,
): Promise<void> {
  const unfinished = `${path}.unfinished`;
  let file: FileHandle | undefined;
  try {
    file = await openFile(unfinished);
    for await (const some of lines) {
      await file.writeFile(some);
      counted(some);
    }
    await file.sync();
    await file.close();
    await rename(unfinished, path);
  } catch (error) {
    await file?.close().catch(() => undefined);
    if (file) await rm(unfinished, { force: true });
    throw error;
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    // What events hold is for whoever exports them.
    return await open(path, 'w', 0o600);
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

/** The same bytes, never a part of a line; what is left of one at a bad end is not given out. */
async function* wholeLines(parts: AsyncIterable<string | Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  for await (const part of parts) {
    const bytes = Buffer.from(part);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end === 0) {
      rest.push(bytes);
      continue;
    }
    yield Buffer.concat([...rest, bytes.subarray(0, end)]);
    rest = [bytes.subarray(end)];
  }
  const last = Buffer.concat(rest);
  if (last.length > 0) yield Buffer.concat([last, Buffer.from('\n')]);
}
