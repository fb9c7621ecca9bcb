// The guard as the AppModule sets it up, before a controller that only this test has. Real: the module, the database.
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import cookie from '@fastify/cookie';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AppModule } from '../../../src/app.module.js';
import { Access, type Actor } from '../../../src/config/access.js';
import { SystemClock } from '../../../src/config/clock.js';
import { loadConfig } from '../../../src/config/config.js';
import { createAccessServices } from '../../../src/console/access/access-services.js';
import { By } from '../../../src/console/access/by.js';
import { createHttpAdapter, hardenHttpServer } from '../../../src/console/http-server.js';
import { ProblemFilter } from '../../../src/console/problem.filter.js';
import { askWith, readAnswer } from '../../support/browser.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { temporaryFolder } from '../../support/folder.js';
import { TestLog } from '../../support/log.js';

class Base {
  @Get('inherited')
  inherited(): string {
    return 'told';
  }
}

@Controller('/api/v1/forgotten')
class Forgotten {
  @Get()
  told(): string {
    return 'told';
  }
}

@Controller('/api/v1/shown')
@Access('open')
class Shown extends Base {
  @Get('closed')
  @Access('admin')
  closed(@By() actor: Actor): string {
    return actor.name;
  }
}

@Controller('/api/v1/hidden')
@Access('operator')
class Hidden extends Base {}

let database: TestDatabase;
let app: NestFastifyApplication;
let url: string;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  database = await createTestDatabase();
  const log = new TestLog();
  const problems = new ProblemFilter(log);
  const adapter = createHttpAdapter(problems);
  // No console in the role: the guard holds all the same.
  const settings = loadConfig({ PORT: '0', ROLE: 'action', DATABASE_URL: database.url });
  @Module({
    imports: [AppModule.with(settings, new SystemClock(), log)],
    controllers: [Forgotten, Shown, Hidden],
  })
  class WithThem {}
  app = await NestFactory.create<NestFastifyApplication>(WithThem, adapter, {
    bodyParser: false,
    logger: false,
  });
  hardenHttpServer(adapter, problems);
  await app.register(cookie);
  app.useGlobalFilters(problems);
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
  const dataSource = await database.open(1);
  const made = createAccessServices({
    dataSource,
    clock: new SystemClock(),
    dataDir: temporaryFolder('access'),
  });
  const here = { name: 'test@host', role: 'admin', means: 'command', userId: null, address: null } as const;
  for (const role of ['viewer', 'operator', 'admin'] as const) {
    await made.users.create(here, { name: role, role, password: 'twelve characters' });
    tokens[role] = (await made.tokens.create(here, { name: 't', expiresInDays: 1 }, { user: role })).token;
  }
});
afterAll(async () => {
  await app.close();
  await database.drop();
});

describe('the guard', () => {
  it('closes a route that says nothing about who may use it: to admins too', async () => {
    const path = `${url}/api/v1/forgotten`;
    expect(await readAnswer(await fetch(path))).toMatchObject({ status: 403, code: 'ROUTE_CLOSED' });
    expect(await askWith(tokens['admin']!, path)).toMatchObject({ status: 403, code: 'ROUTE_CLOSED' });
  });

  it('takes what a route says before what its controller says', async () => {
    const path = `${url}/api/v1/shown/closed`;
    expect(await readAnswer(await fetch(path))).toMatchObject({ status: 401, code: 'LOGIN_REQUIRED' });
    expect(await askWith(tokens['operator']!, path)).toMatchObject({ status: 403, code: 'ROLE_MISSING' });
    expect(await askWith(tokens['admin']!, path)).toMatchObject({ status: 200, body: 'admin/t' });
  });

  it('does not mix up controllers that inherit the same handler', async () => {
    expect(await readAnswer(await fetch(`${url}/api/v1/shown/inherited`))).toMatchObject({ status: 200 });
    expect(await readAnswer(await fetch(`${url}/api/v1/hidden/inherited`))).toMatchObject({ status: 401 });
    expect(await askWith(tokens['viewer']!, `${url}/api/v1/hidden/inherited`)).toMatchObject({ status: 403 });
    expect(await askWith(tokens['operator']!, `${url}/api/v1/hidden/inherited`)).toMatchObject({
      status: 200,
    });
  });
});
