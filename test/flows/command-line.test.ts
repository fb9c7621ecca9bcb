// The built commands on the embedded PostgreSQL, beside the built service and without it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { runCommand } from '../support/command.js';
import { APP_SETTINGS, pushOfApprover } from '../support/feishu.js';
import { folderWith, temporaryFolder } from '../support/folder.js';
import { freePort, ServiceProcess } from '../support/process.js';

it('commands see the same whether the service runs or not, and leave no database running', async () => {
  const port = await freePort();
  const dataDir = join(temporaryFolder('command-line'), 'data');
  const settings = { ...APP_SETTINGS, DATA_DIR: dataDir, RULES_DIR: folderWith({}), PORT: String(port) };
  const service = new ServiceProcess(settings, port);
  await service.start();
  const { eventId, ...push } = pushOfApprover({ status: 3 });
  expect((await fetch(`${service.url}/webhook/event`, { method: 'POST', ...push })).status).toBe(200);
  const list = ['events', 'list', '--json'];
  const beside = await runCommand(list, settings);
  expect(beside.code).toBe(0);
  expect(JSON.parse(beside.stdout)).toMatchObject({ items: [{ eventId }], next: null });
  const made = await runCommand(['users', 'token', 'admin', '--name', 'flow'], settings);
  const remote = await runCommand([...list, '--server', service.url], {
    AFTERSIGN_TOKEN: made.stdout.trim(),
  });
  expect(remote.stdout).toBe(beside.stdout);
  // The service has its database still.
  expect((await fetch(`${service.url}/health/ready`)).status).toBe(200);
  expect(await service.stop()).toBe(0);
  const without = await runCommand(list, settings);
  expect([without.code, without.stdout]).toEqual([0, beside.stdout]);
  const isRunning = (): boolean => existsSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'));
  expect(isRunning()).toBe(false);
  // Also when whoever reads has had enough.
  const child = spawn('sh', ['-c', `"${process.execPath}" dist/cli.js events list --all | true`], {
    env: { PATH: process.env['PATH'], ...settings },
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  await new Promise((resolve) => child.on('close', resolve));
  expect(isRunning()).toBe(false);
}, 120_000);
