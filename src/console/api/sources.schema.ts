import { z } from 'zod';
import { COUNT, TIME } from './schema-parts.js';

export const CONNECTION = z.looseObject({}).meta({
  id: 'ConnectionStatus',
  description: 'How the long connection of an app stands, as health tells it.',
});

export const SOURCE = z
  .object({
    name: z.string(),
    kind: z.enum(['feishu', 'webhook']),
    origin: z.string().nullable().meta({ description: 'Of its events; null: of whatever app they name.' }),
    mode: z.enum(['webhook', 'long-connection', 'both']),
    path: z.string().nullable().meta({ description: 'Where its requests come in; null: nowhere.' }),
    format: z.enum(['feishu', 'cloudevents', 'json']),
    types: z
      .array(z.string())
      .nullable()
      .meta({ description: 'What it may send; null: all but Feishu types.' }),
    verification: z.object({
      on: z.boolean(),
      ways: z.array(z.enum(['feishu-signature', 'feishu-token', 'standard-webhooks', 'hmac', 'bearer'])),
    }),
    lastEventAt: TIME.nullable(),
    connection: CONNECTION.nullable().meta({
      description: 'Null: none, or not held by the process that answers.',
    }),
    warnings: z.array(z.string()),
  })
  .meta({
    id: 'Source',
    description: 'A Feishu app or another system that events come from. Never a secret.',
  });
export type Source = z.infer<typeof SOURCE>;

export const SOURCES = z
  .object({
    items: z.array(SOURCE),
    received: z
      .array(z.object({ source: z.string(), outcome: z.string(), count: COUNT }))
      .nullable()
      .meta({
        description: 'Requests and events since the process that answers began; null: it takes none.',
      }),
  })
  .meta({ id: 'Sources' });
export type Sources = z.infer<typeof SOURCES>;
