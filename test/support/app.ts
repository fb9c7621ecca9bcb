import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Clock, SystemClock } from '../../src/config/clock.js';
import { loadConfig } from '../../src/config/config.js';
import { createService } from '../../src/service.js';
import { TestLog } from './log.js';

export interface TestService {
  readonly app: NestFastifyApplication;
  readonly url: string;
  readonly log: TestLog;
  close(): Promise<void>;
}

/** The real service in this process, on a free port. `settings` as in the environment. */
export async function startService(
  settings: NodeJS.ProcessEnv,
  clock: Clock = new SystemClock(),
): Promise<TestService> {
  const log = new TestLog();
  const app = await createService(loadConfig(settings), clock, log);
  await app.listen(0, '127.0.0.1');
  return { app, log, url: await app.getUrl(), close: () => app.close() };
}
