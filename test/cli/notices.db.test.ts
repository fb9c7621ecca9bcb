// The built command as a process, on real PostgreSQL and on a running service that only answers.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { raiseNotices } from '../../src/action/notice-store.js';
import { startService, type TestService } from '../support/app.js';
import { runCommand } from '../support/command.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { temporaryFolder } from '../support/folder.js';

const NOW = Date.parse('2026-11-24T08:00:00Z');

let database: TestDatabase;
let rows: DataSource;
let service: TestService;
let local: Record<string, string>;
let token: string;

beforeAll(async () => {
  database = await createTestDatabase();
  rows = await database.open(1);
  const folder = temporaryFolder('notices-list');
  local = { DATABASE_URL: database.url, DATA_DIR: folder, RULES_DIR: folder };
  service = await startService({ ...local, ROLE: 'console' });
  token = (await runCommand(['users', 'token', 'admin', '--name', 'test'], local)).stdout.trim();
  const notice = { rules: ['payroll-done'], detail: { code: 'HTTP_503', failures: 5, since: null } };
  await rows.transaction((tx) =>
    raiseNotices(tx, [{ kind: 'target-failing', subject: 'http:a.example', ...notice }], NOW),
  );
  await rows.query(`update notices set state = 'told'`);
  await rows.transaction((tx) =>
    raiseNotices(tx, [{ kind: 'brake-held', subject: '*', rules: ['a', 'b'], detail: { held: 7 } }], NOW + 1),
  );
}, 60_000);
afterAll(async () => {
  await service.close();
  await database.drop();
});

describe('notices', () => {
  it('are listed here and there, with their names in both languages', async () => {
    const options = ['notices', 'list'];
    const [here, there] = await Promise.all([
      runCommand(options, local),
      runCommand([...options, '--server', service.adminUrl], { AFTERSIGN_TOKEN: token }),
    ]);
    expect(there).toEqual(here);
    expect(here).toMatchObject({ code: 0, stderr: '' });
    for (const word of ['待通知', '刹车扣住投递', 'held 7', '已通知', '目标持续失败', 'http:a.example'])
      expect(here.stdout).toContain(word);
    expect(here.stdout).not.toContain('since');
  });

  it('are found by state, kind and rule, a page at a time', async () => {
    const ask = async (query: string): Promise<{ items: { subject: string }[]; next: string | null }> => {
      const answer = await fetch(`${service.adminUrl}/api/v1/notices?${query}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      return (await answer.json()) as { items: { subject: string }[]; next: string | null };
    };
    const found = async (query: string): Promise<string[]> =>
      (await ask(query)).items.map(({ subject }) => subject);
    expect(await found('state=open')).toEqual(['*']);
    expect(await found('kind=target-failing')).toEqual(['http:a.example']);
    expect(await found('rule=b')).toEqual(['*']);
    const first = await ask('limit=1');
    expect(first.items).toMatchObject([
      { kind: 'brake-held', rules: ['a', 'b'], detail: { held: 7 }, createdAt: '2026-11-24T08:00:00.001Z' },
    ]);
    expect(await ask(`limit=1&cursor=${first.next ?? ''}`)).toMatchObject({
      items: [{ subject: 'http:a.example', detail: { code: 'HTTP_503', failures: 5, since: null } }],
      next: null,
    });
  });
});
