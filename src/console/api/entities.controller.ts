import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, type Actor } from '../../config/access.js';
import { By } from '../access/by.js';
import { type Entity, ENTITY } from './entities.schema.js';
import { EntitiesService } from './entities.service.js';
import { NO_QUERY } from './request-pipe.js';

@Controller('/api/v1/entities')
@ApiTags('state')
export class EntitiesController {
  constructor(private readonly entities: EntitiesService) {}

  @Get(':entity')
  @Access('viewer')
  @ApiOperation({
    operationId: 'getEntity',
    summary: 'Show what is known of a process',
    description:
      'Or of another root entity, like `process:7063…`: its status, nodes, tasks and history, its timers and unsettled verdicts, its last events and deliveries.',
  })
  @ApiOkResponse({ standardSchema: ENTITY })
  async find(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Param('entity') entity: string,
  ): Promise<Entity> {
    return await this.entities.find(actor, entity);
  }
}
