import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ModulesContainer } from '@nestjs/core';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';
import { ACCESS, type RouteAccess } from '../../config/access.js';
import { VERSION } from '../../config/version.js';
import { PROBLEM } from './problem.schema.js';
import {
  DELIVERY_CHANGE,
  EVENT_CHANGE,
  SILENCE_CHANGE,
  STREAM_GAP,
  VERDICT_CHANGE,
} from './stream.schema.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Schema = Record<string, unknown>;

/** On the way from the schema of a body to its operation. */
const MAY_BE_MISSING = 'x-may-be-missing';
const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

const ABOUT = `Everything that people and programs can see and do with Aftersign.

Whoever asks has a login: a session (the cookie that \`POST /api/v1/login\` sets, with the header \`x-csrf-token\` on
whatever changes something), or a personal token as \`Authorization: Bearer ast_…\`. Each operation says which role it
needs in \`x-aftersign-role\`; an operator may do what a viewer may, and an admin everything. For viewers, personal
values stand as "•••".

Lists give the newest first, a page at a time: \`next\` of one page is the \`cursor\` of the next. Parameters that are
not known are refused. Whatever goes wrong is told as \`application/problem+json\` with a stable \`code\`.

More members may be added to answers at any time; none is taken away.`;

const TAGS: readonly (readonly [string, string])[] = [
  ['login', 'Signing in and out.'],
  ['overview', 'How things stand, at a glance.'],
  ['events', 'What came in, from where, and what is known of it.'],
  ['evaluations', 'What the rules decided.'],
  ['deliveries', 'What is sent because of it, and where to.'],
  ['replays', 'Stored events through the rules of today.'],
  ['recalls', 'Taking back what a wrong rule has sent.'],
  ['state', 'What is known of approvals, and what is still to come of them.'],
  ['silences', 'What is not wanted for a time.'],
  ['radar', 'What nobody would miss until it is too late.'],
  ['rules', 'The rules, and which set of them is live.'],
  ['stream', 'What happens, while it happens.'],
  ['erasures', "Removing a person's data."],
  ['users', 'Who may come in.'],
  ['tokens', 'Personal tokens, for programs.'],
  ['audit', 'Who changed what.'],
  ['description', 'This document.'],
];

/** The description of the admin API, by what its controllers and schemas say of themselves: OpenAPI 3.1. */
export function describeApi(app: NestFastifyApplication): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Aftersign admin API')
    .setDescription(ABOUT)
    .setVersion(VERSION)
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addServer('/')
    .addBearerAuth(
      { type: 'http', scheme: 'bearer', bearerFormat: 'opaque', description: 'A personal token: `ast_…`.' },
      'token',
    )
    .addCookieAuth(
      'aftersign_session',
      {
        type: 'apiKey',
        in: 'cookie',
        description:
          'A session. Where the service is reached by HTTPS the name is `__Host-aftersign_session`.',
      },
      'session',
    );
  for (const [name, description] of TAGS) builder.addTag(name, description);
  const document = SwaggerModule.createDocument(app, builder.build(), {
    standardSchemaConverter: convert,
    operationIdFactory: (_controller, method) => method,
    autoTagControllers: false,
  });
  return finished(document, rolesOf(app));
}

/** What no operation names as its answer. */
const BESIDE = [PROBLEM, EVENT_CHANGE, VERDICT_CHANGE, DELIVERY_CHANGE, SILENCE_CHANGE, STREAM_GAP];

/** A schema of zod as JSON Schema 2020-12, which is that of OpenAPI 3.1. Those with an id become components. */
function convert(schema: unknown, { schemaType }: { readonly schemaType: 'input' | 'output' }) {
  if (!(schema instanceof z.ZodType)) return undefined;
  const present = schemaType === 'input' ? withoutAbsence(schema) : schema;
  const { $defs, ...rest } = z.toJSONSchema(present, {
    target: 'draft-2020-12',
    io: schemaType,
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // Its meaning is in the format; the pattern is a page long.
      if (jsonSchema.format !== undefined && jsonSchema.format !== 'regex') delete jsonSchema.pattern;
      // More members may come.
      if (schemaType === 'output' && jsonSchema.additionalProperties === false)
        delete jsonSchema.additionalProperties;
      delete jsonSchema['id'];
      // What all numbers of JSON are that can be relied on.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  }) as Schema & { readonly $defs?: Schema };
  delete rest['$schema'];
  if (present !== schema) rest[MAY_BE_MISSING] = true;
  return { schema: rest, components: $defs ?? {} };
}

/** A body that may be missing is described as what it is when it is there. */
function withoutAbsence(schema: z.core.$ZodType): z.core.$ZodType {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodNullable
    ? withoutAbsence(schema.unwrap())
    : schema;
}

function finished(document: OpenAPIObject, roles: ReadonlyMap<string, RouteAccess>): OpenAPIObject {
  const schemas: Schema = { ...document.components?.schemas };
  for (const one of BESIDE) Object.assign(schemas, convert(one, { schemaType: 'output' })?.components);
  const paths: OpenAPIObject['paths'] = {};
  for (const path of Object.keys(document.paths).sort()) {
    if (!path.startsWith('/api/')) continue;
    const item = document.paths[path] ?? {};
    for (const method of METHODS) {
      const operation = item[method];
      if (operation) finish(operation, roles.get(`${method} ${path}`));
    }
    paths[path] = item;
  }
  const { title, description, version, license } = document.info;
  return {
    ...document,
    info: { title, description, version, license } as OpenAPIObject['info'],
    paths,
    components: { ...document.components, schemas: sorted(schemas) as never },
  };
}

function finish(operation: Operation, role: RouteAccess | undefined): void {
  for (const parameter of operation.parameters ?? []) {
    // It stands beside the schema already.
    if ('schema' in parameter) Reflect.deleteProperty(parameter.schema ?? {}, 'description');
  }
  const { requestBody } = operation;
  if (requestBody && 'content' in requestBody) {
    for (const { schema } of Object.values(requestBody.content)) {
      if (!schema || !(MAY_BE_MISSING in schema)) continue;
      Reflect.deleteProperty(schema, MAY_BE_MISSING);
      requestBody.required = false;
    }
  }
  Object.assign(operation, { 'x-aftersign-role': role ?? 'closed' });
  operation.security = role === 'open' ? [] : [{ token: [] }, { session: [] }];
  operation.responses['default'] = {
    description: 'What was wrong.',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}

function sorted(members: Schema): Schema {
  return Object.fromEntries(Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** `get /api/v1/events/{id}` → who may. */
function rolesOf(app: NestFastifyApplication): ReadonlyMap<string, RouteAccess> {
  const roles = new Map<string, RouteAccess>();
  for (const module of app.get(ModulesContainer).values()) {
    for (const { metatype } of module.controllers.values()) {
      if (typeof metatype !== 'function') continue;
      const controller = metatype as Type;
      const prototype = controller.prototype as Record<string, unknown>;
      for (const name of Object.getOwnPropertyNames(prototype)) {
        const handler = prototype[name];
        if (typeof handler !== 'function' || name === 'constructor') continue;
        const role = (Reflect.getMetadata(ACCESS, handler) ?? Reflect.getMetadata(ACCESS, controller)) as
          RouteAccess | undefined;
        const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
        if (role === undefined || method === undefined) continue;
        for (const base of listOf(Reflect.getMetadata(PATH_METADATA, controller)))
          for (const path of listOf(Reflect.getMetadata(PATH_METADATA, handler)))
            roles.set(`${RequestMethod[method].toLowerCase()} ${pathOf(base, path)}`, role);
      }
    }
  }
  return roles;
}

function listOf(paths: unknown): readonly string[] {
  return Array.isArray(paths) ? (paths as string[]) : [String(paths)];
}

function pathOf(...parts: readonly string[]): string {
  return `/${parts
    .join('/')
    .split('/')
    .filter((part) => part !== '')
    .map((part) => (part.startsWith(':') ? `{${part.slice(1)}}` : part))
    .join('/')}`;
}
