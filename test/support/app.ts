import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Clock, SystemClock } from '../../src/config/clock.js';
import { loadConfig } from '../../src/config/config.js';
import { createService } from '../../src/service.js';
import { TestLog } from './log.js';

export interface TestService {
  readonly app: NestFastifyApplication;
  readonly url: string;
  /** Where the admin API is. */
  readonly adminUrl: string;
  readonly log: TestLog;
  close(): Promise<void>;
}

/** Of the user `admin`; without it the service would leave a one-time password in its folder. */
export const ADMIN_PASSWORD = 'a password for tests';

/** The real service in this process, on a free port. `settings` as in the environment. */
export async function startService(
  settings: NodeJS.ProcessEnv,
  clock: Clock = new SystemClock(),
): Promise<TestService> {
  const log = new TestLog();
  const { app, listen } = await createService(
    loadConfig({ PORT: '0', ADMIN_PASSWORD, ...settings }),
    clock,
    log,
  );
  const { url, adminUrl } = await listen();
  return { app, log, url, adminUrl: adminUrl ?? url, close: () => app.close() };
}
