import type { RenderedRequest, SecretSlot } from './action.js';
import type { EmailRequest, FeishuBotRequest, FeishuMessageRequest, HttpRequest } from './sender.js';

/** A request with its secrets in place, ready for a sender; `used` are their values, which must not be kept of an answer. */
export type ReadyRequest = { readonly used: readonly string[] } & (
  | { readonly kind: 'http'; readonly request: HttpRequest }
  | { readonly kind: 'email'; readonly request: EmailRequest }
  | { readonly kind: 'feishu-bot'; readonly request: FeishuBotRequest }
  | { readonly kind: 'feishu-message'; readonly request: FeishuMessageRequest }
);

/** The secret that a request needs and that nobody has given. */
export interface MissingSecret {
  readonly missing: string;
}

/**
 * Puts the secrets into a stored request at the moment of sending. What comes out is never a template again: an
 * event's text that looks like a placeholder stays as it is.
 */
export function makeReady(
  stored: RenderedRequest,
  secrets: ReadonlyMap<string, string>,
): ReadyRequest | MissingSecret {
  const used: string[] = [];
  // What holds no secret goes out as it is stored.
  const content = (stored.secrets.length === 0
    ? stored.content
    : structuredClone(stored.content)) as unknown as Record<string, unknown>;
  for (const slot of stored.secrets) {
    const text = fill(slot, secrets, used);
    if (typeof text !== 'string') return text;
    put(content, slot.at, text);
  }
  if (stored.kind !== 'http') {
    // What was null for a secret is a text now: the content is the request.
    return { kind: stored.kind, used, request: content } as unknown as ReadyRequest;
  }
  const { body, headers, ...rest } = content as unknown as typeof stored.content;
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json; charset=utf-8';
  return {
    kind: 'http',
    used,
    request: {
      ...rest,
      headers:
        text === undefined || 'content-type' in headers ? headers : { 'content-type': type, ...headers },
      body: text ?? null,
    },
  };
}

function fill(
  slot: SecretSlot,
  secrets: ReadonlyMap<string, string>,
  used: string[],
): string | MissingSecret {
  let text = '';
  for (const piece of slot.pieces) {
    if (typeof piece === 'string') {
      text += piece;
      continue;
    }
    const value = secrets.get(piece.secret);
    if (value === undefined) return { missing: piece.secret };
    const written = slot.encode ? encodeURIComponent(value) : value;
    used.push(value, written);
    text += written;
  }
  return text;
}

function put(content: Record<string, unknown>, at: readonly (string | number)[], text: string): void {
  let parent = content as Record<string | number, unknown>;
  for (const key of at.slice(0, -1)) parent = parent[key] as Record<string | number, unknown>;
  parent[at.at(-1) ?? ''] = text;
}
