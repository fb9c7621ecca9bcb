// The demo as a newcomer starts it, on an empty data folder.
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Browser } from '../support/browser.js';
import { freePort } from '../support/process.js';
import { temporaryFolder } from '../support/folder.js';

describe('the demo', () => {
  const folder = temporaryFolder('demo');
  const children: ChildProcess[] = [];
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  /** `until`: a text that has to be printed; then `then` is done, and the demo is ended. Without it: until it ends. */
  async function demo(
    options: readonly string[],
    until: string | null,
    then: (output: string) => Promise<void>,
  ): Promise<{ code: number | null; output: string }> {
    const child = spawn(process.execPath, ['dist/cli.js', 'demo', ...options], {
      env: {
        PATH: process.env['PATH'],
        DATA_DIR: join(folder, 'data'),
        PORT: String(await freePort()),
        NO_COLOR: '1',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    let output = '';
    let heard = (): void => undefined;
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString('utf8');
        if (until !== null && output.includes(until)) heard();
      });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    if (until !== null) {
      await Promise.race([ended, new Promise<void>((resolve) => (heard = resolve))]);
      try {
        await then(output);
      } finally {
        child.kill('SIGTERM');
      }
    }
    return { code: await ended, output };
  }

  it('shows the event, the verdicts and what really arrived, and exits 0', async () => {
    const { code, output } = await demo(['--once'], null, () => Promise.resolve());
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('Both arrived') });
    for (const text of [
      '已完成 / done',
      '✓ matched',
      '✗ not matched',
      'POST /approvals',
      '"status": 3',
      'Subject: 续签已通过',
      'idempotency-key',
    ]) {
      expect(output).toContain(text);
    }
  }, 60_000);

  it('prints where the console is, and a login that works, also the second time on the same folder', async () => {
    const { code } = await demo([], 'Ctrl-C', async (output) => {
      expect(output).toContain('Both arrived');
      const [, address = ''] = /console +(http:\S+)/.exec(output) ?? [];
      const [, name = '', password = ''] = /login (\S+), password (\S+)/.exec(output) ?? [];
      const browser = new Browser(new URL(address).origin);
      const { status, body } = await browser.login(name, password);
      expect([status, body]).toEqual([
        200,
        expect.objectContaining({ name: 'admin', role: 'admin', mustChangePassword: false }),
      ]);
      const { body: events } = await browser.ask('GET', '/api/v1/events');
      expect((events as { items: unknown[] }).items.length).toBeGreaterThan(10);
      const page = await browser.ask('GET', new URL(address).pathname);
      expect(page.body).toContain('<title>Aftersign</title>');
    });
    expect(code).toBe(0);
  }, 60_000);
});
