import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, type Actor } from '../../config/access.js';
import { By } from '../access/by.js';
import {
  EVALUATION_PAGE,
  EVALUATION_QUERY,
  type Evaluation,
  type EvaluationQuery,
} from './evaluations.schema.js';
import { EvaluationsService } from './evaluations.service.js';
import type { Page } from './page.js';

@Controller('/api/v1/evaluations')
@ApiTags('evaluations')
export class EvaluationsController {
  constructor(private readonly evaluations: EvaluationsService) {}

  @Get()
  @Access('viewer')
  @ApiOperation({
    operationId: 'listEvaluations',
    summary: 'List decisions about events',
    description: 'By the events, the newest first.',
  })
  @ApiOkResponse({ standardSchema: EVALUATION_PAGE })
  async list(
    @By() actor: Actor,
    @Query({ schema: EVALUATION_QUERY }) query: EvaluationQuery,
  ): Promise<Page<Evaluation>> {
    return await this.evaluations.list(actor, query);
  }
}
