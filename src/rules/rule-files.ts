import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { Finding } from './finding.js';

const MAX_BYTES = 5 * 1024 * 1024;

/** The files of a rules folder, and what cannot be read there. */
export interface RuleFolder {
  readonly files: ReadonlyMap<string, string>;
  readonly findings: readonly Finding[];
}

/**
 * Reads every `.json` under a folder. Symbolic links, pipes and devices are not followed or opened: a finding says
 * so. Folders and files whose name begins with a dot are left alone.
 */
export async function readRuleFolder(folder: string): Promise<RuleFolder> {
  const files = new Map<string, string>();
  const findings: Finding[] = [];
  const report = (path: string, code: string, message: string, mend: string): void => {
    const file = relative(folder, path).split(sep).join('/') || '.';
    findings.push({ code, severity: 'error', file, line: 1, column: 1, message, mend });
  };
  const visit = async (path: string): Promise<void> => {
    let entries;
    try {
      entries = await readdir(path, { withFileTypes: true });
    } catch (error) {
      report(
        path,
        'RULES_UNREADABLE',
        `the folder cannot be read: ${codeOf(error)}`,
        'Check RULES_DIR and its permissions.',
      );
      return;
    }
    for (const entry of entries) {
      const child = join(path, entry.name);
      if (entry.name.startsWith('.')) continue;
      if (entry.isDirectory()) await visit(child);
      else if (!entry.name.endsWith('.json')) continue;
      else if (!entry.isFile())
        report(child, 'FILE_NOT_REGULAR', 'this is no regular file', 'Put the file itself here.');
      else {
        const text = await readText(child).catch((error: unknown) => ({
          problem: `the file cannot be read: ${codeOf(error)}`,
          mend: 'Check its permissions.',
        }));
        if (typeof text === 'string') files.set(relative(folder, child).split(sep).join('/'), text);
        else report(child, 'FILE_UNREADABLE', text.problem, text.mend);
      }
    }
  };
  await visit(folder);
  return { files, findings };
}

async function readText(path: string): Promise<string | { problem: string; mend: string }> {
  // Should the file have become a link or a pipe since it was listed, opening it fails or does not wait.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = await handle.stat();
    if (size > MAX_BYTES)
      return { problem: `the file has ${size} bytes`, mend: `Keep it under ${MAX_BYTES} bytes.` };
    const bytes = await handle.readFile();
    const encoding = foreignEncoding(bytes);
    if (encoding) return { problem: `the file is ${encoding}, not UTF-8`, mend: 'Save it as UTF-8.' };
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (codeOf(error) !== 'ERR_ENCODING_INVALID_ENCODED_DATA') throw error;
    return { problem: 'the file is not UTF-8 (perhaps GBK)', mend: 'Save it as UTF-8.' };
  } finally {
    await handle.close();
  }
}

function foreignEncoding(bytes: Buffer): string | null {
  const start = bytes.subarray(0, 4).toString('hex');
  if (start.startsWith('fffe') || /^[0-9a-f]{2}00[0-9a-f]{2}00$/.test(start)) return 'UTF-16 (little endian)';
  if (start.startsWith('feff') || /^00[0-9a-f]{2}00[0-9a-f]{2}$/.test(start)) return 'UTF-16 (big endian)';
  return null;
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : String(error);
}
