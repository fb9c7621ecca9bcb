import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access } from '../../config/access.js';
import { type Notice, NOTICE_PAGE, NOTICE_QUERY, type NoticeQuery } from './notices.schema.js';
import { NoticesService } from './notices.service.js';
import type { Page } from './page.js';

@Controller('/api/v1/notices')
@ApiTags('deliveries')
export class NoticesController {
  constructor(private readonly notices: NoticesService) {}

  @Get()
  @Access('viewer')
  @ApiOperation({
    operationId: 'listNotices',
    summary: 'Find what owners of rules were told',
    description:
      'The newest first: targets that fail or have recovered, dead letters, brakes, silences that end, look-ups that fail. Kept for 90 days.',
  })
  @ApiOkResponse({ standardSchema: NOTICE_PAGE })
  async list(@Query({ schema: NOTICE_QUERY }) query: NoticeQuery): Promise<Page<Notice>> {
    return await this.notices.list(query);
  }
}
