import { Module } from '@nestjs/common';
import { AccessModule } from './access/access.module.js';
import { ApiModule } from './api/api.module.js';
import { ConsoleController } from './web/console.controller.js';

/**
 * FACE: the admin API and the web console over it, with which people and programs see what came in, why each rule fired or did not, and what
 * became of it, and act on it. Closed to whoever has no login; every change is in the audit log.
 */
@Module({ imports: [AccessModule, ApiModule], controllers: [ConsoleController] })
export class ConsoleModule {}
