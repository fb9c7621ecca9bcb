import { randomBytes, randomUUID } from 'node:crypto';

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
      event_type: 'corehr.process.approver.updated_v2',
      create_time: String(Date.now()),
      token: '',
      app_id: changes.appId ?? SAMPLE_APP_ID,
      tenant_key: SAMPLE_TENANT,
      ...changes.header,
    },
    event: {
      process_id: '7072306364927985196',
      approver_id: '7072306364927985187',
      type: 1,
      status: 1,
      biz_type: 'renewal_record',
      flow_definition_id: 'people_7182520625066475540_7222929439175839532',
      node_definition_id: 'approval_7c7d9c4d25b',
      node_id: '7369419552616089132',
      ...changes.event,
    },
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
