import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, type Actor } from '../../config/access.js';
import { By } from '../access/by.js';
import {
  ACT_BODY,
  ACT_MANY_BODY,
  type ActBody,
  ACTED_MANY,
  type ActedMany,
  type Delivery,
  DELIVERY,
  DELIVERY_DETAIL,
  DELIVERY_PAGE,
  DELIVERY_QUERY,
  type DeliveryDetail,
  type DeliveryQuery,
  DISCARD_BODY,
  DISCARD_MANY_BODY,
  type ManyActBody,
  type OneActBody,
  REDRIVE_BODY,
  REDRIVE_MANY_BODY,
} from './deliveries.schema.js';
import { DeliveriesService } from './deliveries.service.js';
import type { Page } from './page.js';
import { NO_QUERY } from './request-pipe.js';

const OPTIONAL_BODY = ACT_BODY.nullish();
const OPTIONAL_REDRIVE = REDRIVE_BODY.nullish();

const MANY =
  'All that a filter finds in a state that this is for, the oldest first, in batches of their own: what is done stays done. `next` goes on.';

@Controller('/api/v1/deliveries')
@ApiTags('deliveries')
export class DeliveriesController {
  constructor(private readonly deliveries: DeliveriesService) {}

  @Get()
  @Access('viewer')
  @ApiOperation({
    operationId: 'listDeliveries',
    summary: 'Find deliveries',
    description: 'The newest first.',
  })
  @ApiOkResponse({ standardSchema: DELIVERY_PAGE })
  async list(
    @By() actor: Actor,
    @Query({ schema: DELIVERY_QUERY }) query: DeliveryQuery,
  ): Promise<Page<Delivery>> {
    return await this.deliveries.list(actor, query);
  }

  @Get(':id')
  @Access('viewer')
  @ApiOperation({
    operationId: 'getDelivery',
    summary: 'Show a delivery',
    description: 'With its request, in which names stand for secrets, and every attempt.',
  })
  @ApiOkResponse({ standardSchema: DELIVERY_DETAIL })
  async find(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Param('id') id: string,
  ): Promise<DeliveryDetail> {
    return await this.deliveries.find(actor, id);
  }

  @Post(':id/redrive')
  @HttpCode(200)
  @Access('operator')
  @ApiOperation({
    operationId: 'redriveDelivery',
    summary: 'Send a dead delivery again',
    description:
      'With the same key, at once; its retries begin anew. Edited: a new delivery with a key of its own goes in its place, and is the answer.',
  })
  @ApiOkResponse({ standardSchema: DELIVERY })
  async redrive(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Param('id') id: string,
    @Body({ schema: OPTIONAL_REDRIVE }) body: OneActBody | null | undefined,
  ): Promise<Delivery> {
    return await this.deliveries.act(actor, id, 'redrive', body ?? {});
  }

  @Post(':id/release')
  @HttpCode(200)
  @Access('operator')
  @ApiOperation({ operationId: 'releaseDelivery', summary: 'Send a held delivery' })
  @ApiOkResponse({ standardSchema: DELIVERY })
  async release(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Param('id') id: string,
    @Body({ schema: OPTIONAL_BODY }) body: ActBody | null | undefined,
  ): Promise<Delivery> {
    return await this.deliveries.act(actor, id, 'release', body ?? {});
  }

  @Post(':id/discard')
  @HttpCode(200)
  @Access('operator')
  @ApiOperation({ operationId: 'discardDelivery', summary: 'Give up a held or dead delivery' })
  @ApiOkResponse({ standardSchema: DELIVERY })
  async discard(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Param('id') id: string,
    @Body({ schema: DISCARD_BODY }) body: OneActBody,
  ): Promise<Delivery> {
    return await this.deliveries.act(actor, id, 'discard', body);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Access('operator')
  @ApiOperation({ operationId: 'cancelDelivery', summary: 'Drop a delivery that is still to be sent' })
  @ApiOkResponse({ standardSchema: DELIVERY })
  async cancel(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Param('id') id: string,
    @Body({ schema: OPTIONAL_BODY }) body: ActBody | null | undefined,
  ): Promise<Delivery> {
    return await this.deliveries.act(actor, id, 'cancel', body ?? {});
  }

  @Post('redrive')
  @HttpCode(200)
  @Access('operator')
  @ApiOperation({
    operationId: 'redriveDeliveries',
    summary: 'Send dead deliveries again',
    description: MANY,
  })
  @ApiOkResponse({ standardSchema: ACTED_MANY })
  async redriveMany(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Body({ schema: REDRIVE_MANY_BODY }) body: ManyActBody,
  ): Promise<ActedMany> {
    return await this.deliveries.actMany(actor, 'redrive', body);
  }

  @Post('release')
  @HttpCode(200)
  @Access('operator')
  @ApiOperation({
    operationId: 'releaseDeliveries',
    summary: 'Send held deliveries',
    description: MANY,
  })
  @ApiOkResponse({ standardSchema: ACTED_MANY })
  async releaseMany(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Body({ schema: ACT_MANY_BODY }) body: ManyActBody,
  ): Promise<ActedMany> {
    return await this.deliveries.actMany(actor, 'release', body);
  }

  @Post('discard')
  @HttpCode(200)
  @Access('operator')
  @ApiOperation({
    operationId: 'discardDeliveries',
    summary: 'Give up held or dead deliveries',
    description: MANY,
  })
  @ApiOkResponse({ standardSchema: ACTED_MANY })
  async discardMany(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Body({ schema: DISCARD_MANY_BODY }) body: ManyActBody,
  ): Promise<ActedMany> {
    return await this.deliveries.actMany(actor, 'discard', body);
  }

  @Post('cancel')
  @HttpCode(200)
  @Access('operator')
  @ApiOperation({
    operationId: 'cancelDeliveries',
    summary: 'Drop deliveries that are still to be sent',
    description: MANY,
  })
  @ApiOkResponse({ standardSchema: ACTED_MANY })
  async cancelMany(
    @Query({ schema: NO_QUERY }) _query: object,
    @By() actor: Actor,
    @Body({ schema: ACT_MANY_BODY }) body: ManyActBody,
  ): Promise<ActedMany> {
    return await this.deliveries.actMany(actor, 'cancel', body);
  }
}
