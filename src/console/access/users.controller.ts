import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { Access, type Actor } from '../../config/access.js';
import type { Page, PageQuery } from '../api/page.js';
import { By } from './by.js';
import {
  CHANGED_USER,
  type ChangedUser,
  NEW_USER,
  type NewUser,
  type User,
  USER_CHANGE,
  USER_NAME,
  USER_PAGE,
  type UserChange,
  USERS_QUERY,
} from './users.schema.js';
import { UsersService } from './users.service.js';

@ApiTags('users')
@Controller('/api/v1/users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Get()
  @Access('admin')
  @ApiOperation({ operationId: 'listUsers', summary: 'Who may come in, the newest first' })
  @ApiOkResponse({ standardSchema: USER_PAGE })
  async list(@By() actor: Actor, @Query({ schema: USERS_QUERY }) query: PageQuery): Promise<Page<User>> {
    return await this.users.list(actor, query);
  }

  @Post()
  @Access('admin')
  @ApiOperation({ operationId: 'createUser', summary: 'Make a local user' })
  @ApiCreatedResponse({ standardSchema: CHANGED_USER })
  async create(@By() actor: Actor, @Body({ schema: NEW_USER }) user: NewUser): Promise<ChangedUser> {
    return await this.users.create(actor, user);
  }

  @Patch(':name')
  @Access('admin')
  @ApiOperation({
    operationId: 'changeUser',
    summary: "Change a user's role or password, shut a user out or let in",
  })
  @ApiOkResponse({ standardSchema: CHANGED_USER })
  async change(
    @By() actor: Actor,
    @Param('name', { schema: USER_NAME }) name: string,
    @Body({ schema: USER_CHANGE }) change: UserChange,
  ): Promise<ChangedUser> {
    return await this.users.change(actor, name, change);
  }

  @Delete(':name')
  @Access('admin')
  @HttpCode(204)
  @ApiOperation({ operationId: 'removeUser', summary: 'Remove a user with all tokens and sessions' })
  @ApiNoContentResponse()
  async remove(@By() actor: Actor, @Param('name', { schema: USER_NAME }) name: string): Promise<void> {
    await this.users.remove(actor, name);
  }
}
