// The demo as a newcomer starts it, on an empty data folder.
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../support/process.js';
import { temporaryFolder } from '../support/folder.js';

describe('the demo', () => {
  const folder = temporaryFolder('demo');
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  async function demo(): Promise<{ code: number | null; output: string }> {
    const child = spawn(process.execPath, ['dist/cli.js', 'demo', '--once'], {
      env: {
        PATH: process.env['PATH'],
        DATA_DIR: join(folder, 'data'),
        PORT: String(await freePort()),
        NO_COLOR: '1',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, output };
  }

  it('shows the event, the verdicts and what really arrived, and exits 0; also the second time', async () => {
    for (let run = 0; run < 2; run += 1) {
      const { code, output } = await demo();
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
    }
  }, 60_000);
});
