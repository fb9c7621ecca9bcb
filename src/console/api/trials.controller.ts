import { Body, Controller, HttpCode, Post, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Access, type Actor } from '../../config/access.js';
import { Refusal } from '../../config/problem.js';
import { By } from '../access/by.js';
import { NO_QUERY } from './request-pipe.js';
import { TRIAL, TRIAL_BODY, type Trial, type TrialBody } from './trials.schema.js';
import { TrialsService } from './trials.service.js';

@Controller('/api/v1/trials')
@ApiTags('rules')
export class TrialsController {
  constructor(private readonly trials: TrialsService) {}

  @Post()
  @HttpCode(200)
  @Access('operator')
  @ApiOperation({
    operationId: 'tryRuleFile',
    summary: 'Try an edited rule file on stored events',
    description:
      'The file takes its place in the live rule set, is checked there, and its rules judge the last events by what was recorded of them, beside the live rules. Nothing is stored, nothing is sent. One trial at a time for a user, two in all; each is given 10 s, and ends when the connection does.',
  })
  @ApiOkResponse({ standardSchema: TRIAL })
  async run(
    @By() actor: Actor,
    @Query({ schema: NO_QUERY }) _query: object,
    @Body({ schema: TRIAL_BODY }) body: TrialBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Trial> {
    const gone = new AbortController();
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished)
        gone.abort(
          new Refusal(408, 'REQUEST_GONE', 'The trial ended, because nobody waits for it any more.'),
        );
    });
    return await this.trials.run(actor, body, gone.signal);
  }
}
