import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access } from '../../config/access.js';
import type { Page } from '../api/page.js';
import { AuditLog } from './audit-log.js';
import { AUDIT_PAGE, AUDIT_QUERY, type AuditQuery, type AuditRow } from './audit.schema.js';

@ApiTags('audit')
@Controller('/api/v1/audit')
export class AuditController {
  constructor(private readonly audit: AuditLog) {}

  @Get()
  @Access('admin')
  @ApiOperation({ operationId: 'listAudit', summary: 'Who changed what, the newest first' })
  @ApiOkResponse({ standardSchema: AUDIT_PAGE })
  async list(@Query({ schema: AUDIT_QUERY }) query: AuditQuery): Promise<Page<AuditRow>> {
    return await this.audit.list(query);
  }
}
