import type { DataSource } from 'typeorm';
import type { Clock } from '../../config/clock.js';
import { AdminPasswordFile } from './admin-password-file.js';
import { AuditLog } from './audit-log.js';
import { PasswordHasher } from './password-hasher.js';
import { TokensService } from './tokens.service.js';
import { UsersService } from './users.service.js';

export interface AccessServices {
  readonly audit: AuditLog;
  readonly users: UsersService;
  readonly tokens: TokensService;
}

/** What a command on this machine needs of this folder. */
export function createAccessServices(parts: {
  readonly dataSource: DataSource;
  readonly clock: Clock;
  readonly dataDir: string;
}): AccessServices {
  const { dataSource, clock, dataDir } = parts;
  const audit = new AuditLog(dataSource, clock);
  const file = new AdminPasswordFile(dataDir, dataSource);
  return {
    audit,
    users: new UsersService(dataSource, clock, audit, new PasswordHasher(), file),
    tokens: new TokensService(dataSource, clock, audit),
  };
}
