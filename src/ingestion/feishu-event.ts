import type { FeishuApp } from '../config/sources.js';
import type { Catalogue } from '../events/catalogue.js';
import type { Envelope } from '../events/envelope.js';
import type { IncomingEvent, SourceKind } from '../events/event.js';
import { parseLossless } from '../events/lossless-json.js';

/** What stands before the token in a body. */
const TOKEN_KEY = /"token"\s*:\s*$/;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** As `JSON.parse`. */
export type Parser = (text: string) => unknown;

/** The value of strict JSON in strict UTF-8; undefined for anything else. */
export function parseBody(bytes: Buffer, parser: Parser = parseLossless): unknown {
  try {
    return parser(utf8.decode(bytes));
  } catch {
    return undefined;
  }
}

/**
 * Makes events of an app's genuine envelopes, whichever way they came in: the same event by two ways has one key and
 * one root entity.
 */
export class FeishuEvents {
  /** As it stands in a body. */
  private readonly quotedToken: Buffer | null;

  constructor(
    private readonly app: Pick<FeishuApp, 'appId' | 'verificationToken'>,
    private readonly catalogue: { readonly current: Catalogue },
  ) {
    const { verificationToken } = app;
    this.quotedToken =
      verificationToken === undefined ? null : Buffer.from(JSON.stringify(verificationToken));
  }

  /** `content` is the decrypted body, null when `raw` came in plain. */
  of(envelope: Envelope, source: SourceKind, raw: Buffer, content: Buffer | null): IncomingEvent {
    const { eventId, eventType, createTime, fields } = envelope;
    const root = this.catalogue.current.rootEntityOf(eventType, fields);
    return {
      origin: `feishu:${envelope.appId ?? this.app.appId ?? 'unknown'}`,
      eventId,
      eventType,
      source,
      createTime,
      statusRank: this.catalogue.current.statusRankOf(eventType, fields),
      // PostgreSQL's text has no NUL. The event is genuine and is kept; only what it belongs to cannot be named.
      rootEntity: root?.includes('\u0000') === true ? null : root,
      raw: content === null ? this.withoutToken(raw) : raw,
      content: content === null ? null : this.withoutToken(content),
      transport: null,
    };
  }

  /** The token is a secret and no table may hold it: where it stands as "token", its bytes become as many asterisks. */
  private withoutToken(body: Buffer): Buffer {
    const { quotedToken } = this;
    if (quotedToken === null) return body;
    let copy: Buffer | null = null;
    for (let at = body.indexOf(quotedToken); at >= 0; at = body.indexOf(quotedToken, at + 1)) {
      if (!TOKEN_KEY.test(body.toString('latin1', Math.max(0, at - 40), at))) continue;
      copy ??= Buffer.from(body);
      copy.fill('*', at + 1, at + quotedToken.length - 1);
    }
    return copy ?? body;
  }
}
