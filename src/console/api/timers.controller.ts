import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, type Actor } from '../../config/access.js';
import { By } from '../access/by.js';
import { ACT_BODY, type ActBody } from './deliveries.schema.js';
import type { Page } from './page.js';
import { NO_QUERY } from './request-pipe.js';
import { type Timer, TIMER, TIMER_PAGE, TIMER_QUERY, type TimerQuery } from './timers.schema.js';
import { TimersService } from './timers.service.js';

@Controller('/api/v1/timers')
@ApiTags('state')
export class TimersController {
  constructor(private readonly timers: TimersService) {}

  @Get()
  @Access('viewer')
  @ApiOperation({
    operationId: 'listTimers',
    summary: 'Find the timers of escalations',
    description:
      'Of those to come the one that is due first comes first; of others the latest that has ended.',
  })
  @ApiOkResponse({ standardSchema: TIMER_PAGE })
  async list(@By() actor: Actor, @Query({ schema: TIMER_QUERY }) query: TimerQuery): Promise<Page<Timer>> {
    return await this.timers.list(actor, query);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Access('operator')
  @ApiOperation({
    operationId: 'cancelTimer',
    summary: 'Cancel a timer: no further step of it goes out',
    description: 'When the rule matches again for the same task, node or process, it is armed anew.',
  })
  @ApiOkResponse({ standardSchema: TIMER })
  async cancel(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Param('id') id: string,
    @Body({ schema: ACT_BODY.nullish() }) body: ActBody | null | undefined,
  ): Promise<Timer> {
    return await this.timers.cancel(actor, id, body ?? {});
  }
}
