import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { readStandardInput } from './standard-input.js';

/** A password from standard input; on a terminal it is not shown while it is typed. */
export async function readPassword(): Promise<string> {
  if (!process.stdin.isTTY) return (await readStandardInput()).replace(/\r?\n$/, '');
  const nowhere = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const reader = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  // Only now: what is typed before would be shown.
  process.stderr.write('New password 新密码: ');
  try {
    return await reader.question('');
  } finally {
    reader.close();
    process.stderr.write('\n');
  }
}
