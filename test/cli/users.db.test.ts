// The built commands as processes, on real PostgreSQL, and on a service of this process by its API.
import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { startService, type TestService } from '../support/app.js';
import { CommandProcess, type Ended } from '../support/command.js';
import { Commands } from '../support/commands.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { temporaryFolder } from '../support/folder.js';

const commands = new Commands();
let database: TestDatabase;
let rows: DataSource;
let service: TestService;
let local: Record<string, string>;
beforeAll(async () => {
  database = await createTestDatabase();
  rows = await database.open(1);
  local = { DATABASE_URL: database.url, DATA_DIR: temporaryFolder('users') };
  service = await startService({ ...local, ROLE: 'console', ADMIN_PASSWORD: 'correct horse battery' });
}, 60_000);
afterAll(async () => {
  commands.close();
  await service.close();
  await database.drop();
});

const here = (parameters: string[], input = ''): Promise<Ended> =>
  commands.run(['users', ...parameters], local, input);
/** With settings of a service that could not even start. */
const there = (token: string, parameters: string[], input = ''): Promise<Ended> =>
  commands.run(
    [...parameters, '--server', service.adminUrl],
    { AFTERSIGN_TOKEN: token, DATABASE_URL: 'nonsense', PORT: 'x' },
    input,
  );
const login = async (name: string, password: string): Promise<number> => {
  const answer = await fetch(`${service.adminUrl}/api/v1/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, password }),
  });
  await answer.text();
  return answer.status;
};

describe('aftersign users', () => {
  it('makes the first token on the machine, which opens the API with no setting but that', async () => {
    const made = await here(['token', 'admin', '--name', 'laptop', '--days', '3']);
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ast_[\w-]{43}\n$/) });
    expect(made.stderr).toMatch(/"laptop" of admin, role admin, until .*shown this once/);
    expect(made.stderr).not.toContain(made.stdout.trim());
    const token = made.stdout.trim();
    const file = join(temporaryFolder('token-file'), 'token');
    writeFileSync(file, made.stdout, { mode: 0o600 });
    const listed = await commands.run(['users', 'list', '--json', '--server', service.adminUrl], {
      AFTERSIGN_TOKEN_FILE: file,
    });
    expect(JSON.parse(listed.stdout)).toMatchObject({
      items: [{ name: 'admin', role: 'admin' }],
      next: null,
    });
    chmodSync(file, 0o644);
    expect(
      await commands.run(['users', 'list', '--server', service.adminUrl], { AFTERSIGN_TOKEN_FILE: file }),
    ).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^TOKEN_FILE_OPEN: /) });
    // The same both ways, in Chinese and English.
    const table = await there(token, ['users', 'list']);
    expect(table.stdout).toBe((await here(['list'])).stdout);
    expect(table.stdout).toMatch(/name 用户名 .*\nadmin .*active 有效/);
  });

  it('adds, changes and removes people both ways, and the audit log tells by whom', async () => {
    const token = (await here(['token', 'admin', '--name', 'test'])).stdout.trim();
    const added = await here(['add', 'Lena', '--role', 'viewer']);
    expect(added).toMatchObject({ code: 0, stdout: expect.stringContaining('lena (viewer)') });
    const [, oneTime = ''] = /One-time password 一次性密码: (\S+)/.exec(added.stdout) ?? [];
    expect(await login('lena', oneTime)).toBe(200);
    const changed = await there(token, ['users', 'change', 'lena', '--role', 'operator', '--json']);
    expect(JSON.parse(changed.stdout)).toMatchObject({ name: 'lena', role: 'operator', disabled: false });
    const password = await there(
      token,
      ['users', 'password', 'lena', '--stdin'],
      '正确的马电池订书钉正确的马\n',
    );
    expect(password).toMatchObject({ code: 0, stdout: expect.not.stringContaining('One-time') });
    expect(await login('lena', '正确的马电池订书钉正确的马')).toBe(200);
    expect(await there(token, ['users', 'change', 'lena', '--disable'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('disabled 已停用'),
    });
    expect((await here(['remove', 'lena'])).code).toBe(0);
    const audit = await rows.query<{ actor: string; action: string; means: string }[]>(
      `select actor, action, means from audit_log where subject = 'user:lena' and action like 'user.%' order by id`,
    );
    expect(audit.map(({ action, means }) => [action, means])).toEqual([
      ['user.create', 'command'],
      ['user.change', 'token'],
      ['user.change', 'token'],
      ['user.change', 'token'],
      ['user.remove', 'command'],
    ]);
    expect([audit[0]?.actor, audit[1]?.actor]).toEqual([expect.stringMatching(/^.+@.+$/), 'admin/test']);
  });

  it('lets somebody back in who is locked out', async () => {
    const { stdout } = await here(['password', 'admin']);
    const [, oneTime = ''] = /One-time password 一次性密码: (\S+)/.exec(stdout) ?? [];
    expect(await login('admin', oneTime)).toBe(200);
  });

  it('refuses what cannot be, the same both ways', async () => {
    const token = (await here(['token', 'admin', '--name', 'refusals'])).stdout.trim();
    const refusals: [string[], number, RegExp][] = [
      [['remove', 'admin'], 1, /^LAST_ADMIN: /],
      [['change', 'nobody', '--role', 'admin'], 1, /^USER_UNKNOWN: /],
      [
        ['add', 'a b', '--role', 'admin'],
        2,
        /^REQUEST_INVALID: the request does not fit:\n {2}name: must be 1 to 64/,
      ],
    ];
    for (const [parameters, code, said] of refusals) {
      const one = await here(parameters);
      expect(one).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(said) });
      expect((await there(token, ['users', ...parameters])).stderr).toBe(one.stderr);
    }
    expect(await there(token, ['users', 'token', 'lena', '--name', 'x'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^TOKEN_OF_ANOTHER: /),
    });
    const own = await there(token, ['users', 'token', 'admin', '--name', 'second', '--role', 'viewer']);
    expect(own).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ast_/) });
    expect(await there(own.stdout.trim(), ['users', 'list'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^ROLE_MISSING: /),
    });
    expect(await there(`ast_${'x'.repeat(43)}`, ['users', 'list'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^LOGIN_REQUIRED: .*aftersign users token/),
    });
  });

  it('ends with 2 on wrong use, and names what is known', async () => {
    const known: [string[], string][] = [
      [['add', 'lena', '--role', 'boss'], 'viewer, operator, admin'],
      [['change', 'lena'], '--role, --disable or --enable'],
      [['token', 'lena', '--name', 'x', '--days', '900'], 'a number from 1 to 365'],
      [['list', '--server', 'https://u:p@a.example'], 'AFTERSIGN_TOKEN'],
      [['lsit'], 'Did you mean list?'],
    ];
    for (const [parameters, said] of known)
      expect(await here(parameters)).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringContaining(said),
      });
  });

  it('never shows a token to others on the machine', async () => {
    const token = (await here(['token', 'admin', '--name', 'ps'])).stdout.trim();
    // A service that never answers.
    const process = new CommandProcess(['users', 'list', '--server', 'http://192.0.2.1:9'], {
      AFTERSIGN_TOKEN: token,
    });
    try {
      let seen = '';
      while (!seen.includes('192.0.2.1')) seen = execFileSync('ps', ['-A', '-ww', '-o', 'args']).toString();
      expect(seen).not.toContain(token);
    } finally {
      process.kill('SIGKILL');
    }
    const { stdout, stderr } = await process.ended;
    expect(stdout + stderr).not.toContain(token);
  });
});
