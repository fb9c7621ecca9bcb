import { randomBytes } from 'node:crypto';
import type { HttpAnswer } from './http-answer.js';

/** A message that an app sent, as the platform took it. */
export interface SentMessage {
  readonly appId: string;
  readonly receiveIdType: string;
  readonly receiveId: string;
  readonly msgType: string;
  /** A JSON text, as sent. */
  readonly content: string;
  readonly uuid?: string;
  readonly messageId: string;
}

const ID_TYPES = ['open_id', 'user_id', 'union_id', 'email', 'chat_id'];
const REMEMBERED_MS = 3_600_000;
const LARGEST_TEXT = 150 * 1024;
const LARGEST_CARD = 30 * 1024;

/** `POST /open-apis/im/v1/messages` (feishu-events 5.2). The numbers of its refusals are made up, except 0. */
export class MessageApi {
  private readonly byUuid = new Map<string, { readonly message: SentMessage; readonly at: number }>();

  constructor(
    private readonly messages: SentMessage[],
    private readonly now: () => number,
  ) {}

  send(appId: string, query: URLSearchParams, body: Readonly<Record<string, unknown>>): HttpAnswer {
    const receiveIdType = query.get('receive_id_type') ?? '';
    const { receive_id: receiveId, msg_type: msgType, content, uuid } = body;
    if (!ID_TYPES.includes(receiveIdType)) return invalid(`receive_id_type is "${receiveIdType}"`);
    if (typeof receiveId !== 'string' || receiveId === '') return invalid('receive_id is missing');
    if (typeof msgType !== 'string') return invalid('msg_type is missing');
    if (typeof content !== 'string' || !isObjectText(content)) return invalid('content is no JSON text');
    if (uuid !== undefined && (typeof uuid !== 'string' || uuid.length > 50))
      return invalid('uuid is longer than 50 characters');
    const size = Buffer.byteLength(JSON.stringify(body));
    if (size > (msgType === 'text' ? LARGEST_TEXT : LARGEST_CARD))
      return { status: 400, body: { code: 230025, msg: `the message has ${size} bytes: too many` } };

    const key = `${appId} ${uuid ?? ''}`;
    const known = uuid === undefined ? undefined : this.byUuid.get(key);
    if (known && known.at > this.now() - REMEMBERED_MS) return sent(known.message);
    const message: SentMessage = {
      appId,
      receiveIdType,
      receiveId,
      msgType,
      content,
      ...(uuid === undefined ? {} : { uuid }),
      messageId: `om_${randomBytes(16).toString('hex')}`,
    };
    this.messages.push(message);
    if (uuid !== undefined) this.byUuid.set(key, { message, at: this.now() });
    return sent(message);
  }
}

function sent({ messageId, msgType, content }: SentMessage): HttpAnswer {
  const data = { message_id: messageId, msg_type: msgType, body: { content } };
  return { status: 200, body: { code: 0, msg: 'success', data } };
}

function invalid(why: string): HttpAnswer {
  return { status: 400, body: { code: 230001, msg: `invalid request: ${why}` } };
}

function isObjectText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}
