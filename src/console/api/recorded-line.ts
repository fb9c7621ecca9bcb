import type { WebhookSource } from '../../config/sources.js';
import type { SourceKind, Transport } from '../../events/event.js';
import { jsonMembers } from '../../events/json-members.js';
import { isObject } from '../../events/own-member.js';
import type { RecordedEvent, RecordedStep } from '../../rules/backtest/recorded-event.js';
import type { LookupAnswers } from '../../rules/lookup-document.js';
import { exportedLine, headersBeside } from './exported-line.js';

/** Form and version of a line that holds an event and what is recorded of its decision. */
export const RECORDED = 'recorded/1';

/** What a recorded line says beside the event itself; all but the form may be missing. */
export interface RecordedHead {
  readonly aftersign: typeof RECORDED;
  /** Our id. */
  readonly id?: string;
  /** ISO 8601. */
  readonly receivedAt?: string;
  readonly decidedAt?: string | null;
  /** How it came in. */
  readonly source?: SourceKind;
  /** The declared source whose body the event is. */
  readonly declared?: string;
  readonly origin?: string;
  /** The sender's id. */
  readonly eventId?: string;
  readonly eventType?: string;
  readonly createTime?: string | null;
  readonly rootEntity?: string | null;
  /** How the event of the line is read; null: it is a Feishu envelope. */
  readonly transport?: Transport | null;
  readonly lookups?: LookupAnswers;
  /** Key of the event because of which things were sent, when that was another one. */
  readonly cause?: string;
  readonly steps?: readonly (Omit<RecordedStep, 'at'> & { readonly at: string })[];
}

/** A recorded line: what is recorded, and the event as an import takes it. */
export interface RecordedLine {
  readonly head: RecordedHead;
  readonly event: Buffer;
}

/**
 * An event with what is recorded of its decision, as one line without its end. The event comes last, as `exportedLine`
 * has it. Null: the event was erased.
 */
export function recordedLine(recorded: RecordedEvent, source: WebhookSource | undefined): Buffer | null {
  const { event, decidedAt, lookups, cause, steps } = recorded;
  const line = exportedLine(event, source);
  if (line === null) return null;
  const { id, eventId, eventType, origin, rootEntity, createTime } = event;
  const head: RecordedHead = {
    aftersign: RECORDED,
    id,
    receivedAt: event.receivedAt.toISOString(),
    decidedAt: decidedAt === null ? null : new Date(decidedAt).toISOString(),
    source: event.source as SourceKind,
    ...(event.transport === null ? {} : { declared: origin }),
    origin,
    eventId,
    eventType,
    createTime: createTime?.toISOString() ?? null,
    rootEntity,
    transport: transportOf(event.transport, headersBeside(event, source) !== null),
    ...(lookups && Object.keys(lookups).length > 0 ? { lookups } : {}),
    ...(cause === undefined ? {} : { cause }),
    ...(steps && steps.length > 0
      ? { steps: steps.map((step) => ({ ...step, at: new Date(step.at).toISOString() })) }
      : {}),
  };
  return Buffer.concat([
    Buffer.from(`${JSON.stringify(head).slice(0, -1)},"event":`),
    line,
    Buffer.from('}'),
  ]);
}

/** How an event is read of its line. */
function transportOf(transport: Transport | null, besideHeaders: boolean): Transport | null {
  if (transport === null) return null;
  if (transport.format === 'cloudevents') return { format: 'cloudevents', attributes: null };
  return { format: 'json', fields: besideHeaders ? ['body', ...transport.fields] : transport.fields };
}

const MARK = Buffer.from('"aftersign"');

/** What a line holds that was written so; null: it is a plain one; a sentence: it cannot be read. */
export function readRecordedLine(line: Buffer): RecordedLine | string | null {
  if (!line.includes(MARK)) return null;
  const members = jsonMembers(line);
  const form = members?.get('aftersign');
  if (!members || form === undefined) return null;
  const said = valueOf(form);
  if (said !== RECORDED)
    return typeof said === 'string' && said.startsWith('recorded/')
      ? `it is of the form ${said.slice(0, 20)}, which this version cannot read`
      : null;
  const event = members.get('event');
  if (event === undefined) return 'it has no "event"';
  const head: Record<string, unknown> = {};
  for (const [name, bytes] of members) if (name !== 'event') head[name] = valueOf(bytes);
  return { head: head as unknown as RecordedHead, event };
}

/** Whether a value is the answers of look-ups, as far as a decision relies on their form. */
export function areAnswers(value: unknown): value is LookupAnswers {
  return isObject(value) && Object.values(value).every((one) => isObject(one) && 'fetchedAt' in one);
}

function valueOf(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
