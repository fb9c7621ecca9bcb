import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access } from '../../config/access.js';
import { RuleFilesService } from './rule-files.service.js';
import { RULE_FILE, RULE_FILE_QUERY, type RuleFile, type RuleFileQuery } from './rule-pages.schema.js';

@Controller('/api/v1')
@ApiTags('rules')
export class RuleFilesController {
  constructor(private readonly files: RuleFilesService) {}

  @Get('rule-sets/:hash/file')
  @Access('viewer')
  @ApiOperation({
    operationId: 'getFileOfRuleSet',
    summary: 'Show a file of a rule set',
    description: '`hash`: `live`, or at least the first 6 digits. The text is as it was read.',
  })
  @ApiOkResponse({ standardSchema: RULE_FILE })
  async find(
    @Param('hash') hash: string,
    @Query({ schema: RULE_FILE_QUERY }) query: RuleFileQuery,
  ): Promise<RuleFile> {
    return await this.files.find(hash, query);
  }
}
