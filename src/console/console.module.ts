import { Module } from '@nestjs/common';
import { AccessModule } from './access/access.module.js';
import { ApiModule } from './api/api.module.js';

/**
 * FACE: the admin API, with which people and programs see what came in, why each rule fired or did not, and what
 * became of it, and act on it. Closed to whoever has no login; every change is in the audit log.
 */
@Module({ imports: [AccessModule, ApiModule] })
export class ConsoleModule {}
