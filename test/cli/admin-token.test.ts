// Real files.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readToken } from '../../src/cli/admin-token.js';
import { temporaryFolder } from '../support/folder.js';

const TOKEN = `ast_${'a'.repeat(43)}`;
const fileOf = (content: string, mode: number): string => {
  const folder = temporaryFolder('token');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'token');
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
};

describe('the token for a running service', () => {
  it('stands in the environment, or in a file of ours alone', async () => {
    expect(await readToken({ AFTERSIGN_TOKEN: TOKEN })).toBe(TOKEN);
    expect(await readToken({ AFTERSIGN_TOKEN_FILE: fileOf(`${TOKEN}\n`, 0o600) })).toBe(TOKEN);
    expect(await readToken({ AFTERSIGN_TOKEN: '', AFTERSIGN_TOKEN_FILE: fileOf(TOKEN, 0o400) })).toBe(TOKEN);
  });

  it.each([0o644, 0o640, 0o604, 0o620, 0o602])('is not taken from a file of mode %o', async (mode) => {
    await expect(readToken({ AFTERSIGN_TOKEN_FILE: fileOf(TOKEN, mode) })).rejects.toMatchObject({
      code: 'TOKEN_FILE_OPEN',
    });
  });

  it.each([
    ['nothing is set', {}],
    ['it is the secret of something else', { AFTERSIGN_TOKEN: 'ghp_abcdefghijklmnopqrstuvwxyz0123456789' }],
    ['it would end the header', { AFTERSIGN_TOKEN: `${TOKEN}\r\nx: y` }],
    ['there is no such file', { AFTERSIGN_TOKEN_FILE: '/nowhere/token' }],
    ['the file is large', { AFTERSIGN_TOKEN_FILE: fileOf(`${TOKEN}\n`.repeat(1000), 0o600) }],
  ])('is asked for when %s, and never repeated', async (_, environment: NodeJS.ProcessEnv) => {
    const refusal = await readToken(environment).catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: 'LOGIN_REQUIRED',
      detail: expect.stringContaining('AFTERSIGN_TOKEN'),
    });
    expect((refusal as { detail: string }).detail).not.toMatch(/ghp_|ast_a/);
  });
});
