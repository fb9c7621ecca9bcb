import { randomBytes, randomUUID } from 'node:crypto';
import { loadBuiltInCatalogue } from '../../events/catalogue.js';

/** A whole event body of version 2 (feishu-events 1.2). */
export interface EventEnvelope {
  readonly schema: string;
  readonly header: {
    readonly event_id: string;
    readonly event_type: string;
    readonly create_time: string;
    readonly token: string;
    readonly app_id: string;
    readonly tenant_key: string;
    readonly [name: string]: unknown;
  };
  readonly event: Readonly<Record<string, unknown>>;
}

export const SAMPLE_APP_ID = 'cli_9f5343c580712544';
export const SAMPLE_TENANT = '2ca1d211f64f6438';
const SAMPLE_TYPE = 'corehr.process.approver.updated_v2';
const sample = loadBuiltInCatalogue().find(SAMPLE_TYPE)?.sample;

/** A new event of an approver's task: own event id, created now; members of `header` and `event` as given. */
export function eventEnvelope(
  changes: {
    readonly appId?: string;
    readonly header?: Readonly<Record<string, unknown>>;
    readonly event?: Readonly<Record<string, unknown>>;
  } = {},
): EventEnvelope {
  return {
    schema: '2.0',
    header: {
      event_id: randomBytes(16).toString('hex'),
      event_type: SAMPLE_TYPE,
      create_time: String(Date.now()),
      token: '',
      app_id: changes.appId ?? SAMPLE_APP_ID,
      tenant_key: SAMPLE_TENANT,
      ...changes.header,
    },
    event: { ...sample, ...changes.event },
  };
}

/** What the platform calls an event: `header.event_id` of version 2, `uuid` of version 1. A new id when it has none. */
export function eventIdOf(envelope: object | string): string {
  const { header, uuid } = (typeof envelope === 'string' ? parsed(envelope) : envelope) as {
    header?: { event_id?: unknown };
    uuid?: unknown;
  };
  const id = header?.event_id ?? uuid;
  return typeof id === 'string' && id !== '' ? id : `none-${randomUUID()}`;
}

/** The JSON of an envelope, with the token where its version has it. A text is left as it is. */
export function bodyOf(envelope: object | string, token: string): string {
  if (typeof envelope === 'string') return envelope;
  const { header } = envelope as { header?: unknown };
  return JSON.stringify(
    typeof header === 'object' && header !== null
      ? { ...envelope, header: { ...header, token } }
      : { ...envelope, token },
  );
}

function parsed(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
