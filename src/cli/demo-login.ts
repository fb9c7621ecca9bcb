import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Actor } from '../config/access.js';
import { Refusal } from '../config/problem.js';
import { FIRST_ADMIN } from '../console/access/admin-password-file.js';
import { UsersService } from '../console/access/users.service.js';

const DEMO: Actor = { name: 'demo', role: 'admin', means: 'command', userId: null, address: null };

/** Opens the console to `admin` with this password, whatever an earlier demo left in the same folder. Answers the name. */
export async function openConsole(app: NestFastifyApplication, password: string): Promise<string> {
  const users = app.get(UsersService, { strict: false });
  try {
    await users.create(DEMO, { name: FIRST_ADMIN, role: 'admin', password });
  } catch (error) {
    if (!(error instanceof Refusal && error.code === 'USER_EXISTS')) throw error;
    await users.change(DEMO, FIRST_ADMIN, { role: 'admin', disabled: false, password });
  }
  return FIRST_ADMIN;
}
