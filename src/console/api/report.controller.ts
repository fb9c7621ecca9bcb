import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, type Actor } from '../../config/access.js';
import { By } from '../access/by.js';
import { REPORT, type Report, REPORT_QUERY, type ReportQuery } from './report.schema.js';
import { ReportService } from './report.service.js';

@Controller('/api/v1/report')
@ApiTags('deliveries')
export class ReportController {
  constructor(private readonly report: ReportService) {}

  @Get()
  @Access('viewer')
  @ApiOperation({
    operationId: 'getReport',
    summary: 'Balance what was asked for and what became of it',
    description:
      'By rule: what matches asked for is deliveries and suppressions; deliveries are the sum of their states. Of the events received in a time, all of one moment.',
  })
  @ApiOkResponse({ standardSchema: REPORT })
  async find(@By() actor: Actor, @Query({ schema: REPORT_QUERY }) query: ReportQuery): Promise<Report> {
    return await this.report.tell(actor, query);
  }
}
