// The built service as a process, on the embedded PostgreSQL.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createDataSource, migrate } from '../../src/database/data-source.js';
import { startEmbeddedPostgres } from '../../src/database/embedded-postgres.js';
import { temporaryFolder } from '../support/folder.js';

async function start(settings: Record<string, string>): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['dist/main.js'], {
    env: { PATH: process.env['PATH'], ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output };
}

const isRunningIn = (dataDir: string): boolean =>
  existsSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'));

describe('a start that cannot succeed ends with 1 and leaves no database running', () => {
  it('because another program has the port', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const dataDir = join(temporaryFolder('port'), 'data');
    const { code, output } = await start({ PORT: String(port), DATA_DIR: dataDir });
    expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining(`127.0.0.1:${port}`) });
    expect(existsSync(join(dataDir, 'postgres', 'data'))).toBe(true);
    expect(isRunningIn(dataDir)).toBe(false);
    await new Promise((resolve) => other.close(resolve));
  });

  it('because the schema is of a newer version', async () => {
    const dataDir = join(temporaryFolder('newer'), 'data');
    const server = await startEmbeddedPostgres({ dataDir, log: () => undefined });
    const dataSource = await createDataSource(server.url, 2).initialize();
    await migrate(dataSource);
    await dataSource.query(`insert into migrations (timestamp, name) values (9, 'FromTheFuture9')`);
    await dataSource.destroy();
    await server.stop();
    const { code, output } = await start({ PORT: '0', DATA_DIR: dataDir });
    expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining('DATABASE_NEWER') });
    expect(isRunningIn(dataDir)).toBe(false);
  });

  it('because settings are wrong: all are named, and no database was made', async () => {
    const dataDir = join(temporaryFolder('settings'), 'data');
    const { code, output } = await start({ PORT: 'x', ROLE: 'y', DATA_DIR: dataDir });
    expect(code).toBe(1);
    for (const text of ['CONFIG_INVALID', 'PORT', 'ROLE']) expect(output).toContain(text);
    expect(existsSync(dataDir)).toBe(false);
  });
});
