import { type Node, parseTree } from 'jsonc-parser';
import type { FeishuApp, WebhookSource } from '../config/sources.js';
import type { Catalogue } from '../events/catalogue.js';
import { readEnvelope } from '../events/envelope.js';
import type { IncomingEvent, SourceKind } from '../events/event.js';
import { isObject, own } from '../events/own-member.js';
import { STRUCTURED } from './cloud-event-http.js';
import { decryptFeishu, feishuAesKey } from './feishu-crypto.js';
import { FeishuEvents, parseBody } from './feishu-event.js';
import { SourceEvents } from './source-events.js';

/** How bodies from files are read. */
export interface BodyReading {
  /** The bodies are this system's; null: each is a Feishu envelope or a structured CloudEvent. */
  readonly source: WebhookSource | null;
  /** The declared systems that send CloudEvents: a CloudEvent on its own belongs to the only one. */
  readonly cloudEvents: readonly WebhookSource[];
  /** Their keys open encrypted bodies. */
  readonly apps: readonly Pick<FeishuApp, 'encryptKey'>[];
  /** Events of other Feishu apps are refused; null: any app's are taken. */
  readonly onlyApp: string | null;
  /** The app of envelopes that name none; null: they are refused. */
  readonly defaultApp: string | null;
  /** How the events came in; null: as if they had been pushed. */
  readonly kind: SourceKind | null;
}

/** Makes events of bodies that were not sent here: who sent them was checked by whoever has them. */
export class BodyReader {
  private readonly keys;
  private readonly ofSource: SourceEvents | null;

  constructor(
    private readonly reading: BodyReading,
    private readonly catalogue: { readonly current: Catalogue },
    private readonly builtIn: Catalogue,
  ) {
    const { source, apps } = reading;
    this.ofSource = source && new SourceEvents(source, catalogue, builtIn);
    this.keys = apps.flatMap(({ encryptKey }) =>
      encryptKey === undefined ? [] : [feishuAesKey(encryptKey)],
    );
  }

  /** Answers a sentence when the body is no event. */
  read(raw: Buffer): IncomingEvent | string {
    const { source } = this.reading;
    if (source !== null && this.ofSource !== null) return this.fromSource(source, this.ofSource, raw);
    const body = parseBody(raw);
    if (body === undefined) return 'it is not JSON in UTF-8';
    if (!isObject(body)) return 'it is not a JSON object';
    if (own(body, 'specversion') !== undefined) return this.cloudEvent(raw);
    const encrypted = own(body, 'encrypt');
    return typeof encrypted === 'string' ? this.encrypted(raw, encrypted) : this.envelope(body, raw, null);
  }

  private cloudEvent(raw: Buffer): IncomingEvent | string {
    const { cloudEvents } = this.reading;
    const [only, ...others] = cloudEvents;
    if (only === undefined)
      return 'it is a CloudEvent, and SOURCES_FILE declares no source with "format": "cloudevents"';
    if (others.length > 0)
      return `it is a CloudEvent, and may be of ${cloudEvents.map(({ name }) => name).join(', ')}: say which with --source`;
    return this.fromSource(only, new SourceEvents(only, this.catalogue, this.builtIn), raw);
  }

  private fromSource(source: WebhookSource, events: SourceEvents, raw: Buffer): IncomingEvent | string {
    const { format } = source;
    const parts = format.kind === 'json' && readsHeaders(format) ? withHeaders(raw) : { raw, headers: {} };
    if (parts === null)
      return 'the id or the type stands in a header: write {"headers": {…}, "body": {…}} with both';
    const transport = format.kind === 'cloudevents' ? STRUCTURED : null;
    const event = events.of(parts.raw, parts.headers, transport, this.reading.kind ?? 'webhook');
    return 'detail' in event ? event.detail : event;
  }

  private encrypted(raw: Buffer, text: string): IncomingEvent | string {
    if (this.keys.length === 0) return 'it is encrypted, and no Encrypt Key is set: see FEISHU_ENCRYPT_KEY';
    for (const key of this.keys) {
      const content = decryptFeishu(key, text);
      const body = content && parseBody(content);
      if (content && body !== undefined) return this.envelope(body, raw, content);
    }
    return 'it cannot be decrypted with the Encrypt Keys that are set';
  }

  private envelope(body: unknown, raw: Buffer, content: Buffer | null): IncomingEvent | string {
    const envelope = readEnvelope(body);
    if (typeof envelope === 'string') return envelope;
    const { onlyApp, defaultApp, kind } = this.reading;
    const appId = envelope.appId ?? defaultApp;
    if (appId === null) return 'it names no app: say which with --app';
    if (onlyApp !== null && appId !== onlyApp) return `it is of another app than ${onlyApp}`;
    // Whatever token it has is blanked, as that of a push is.
    const verificationToken = typeof envelope.token === 'string' ? envelope.token : undefined;
    const events = new FeishuEvents({ appId, verificationToken }, this.catalogue);
    return events.of(envelope, kind ?? 'feishu-webhook', raw, content);
  }
}

function readsHeaders(format: Extract<WebhookSource['format'], { kind: 'json' }>): boolean {
  return [format.id, format.type, format.time].some((place) => place !== null && 'header' in place);
}

/** `{"headers": {…}, "body": …}`, the body exactly as it is written there; null for anything else. */
function withHeaders(
  line: Buffer,
): { readonly raw: Buffer; readonly headers: Readonly<Record<string, string>> } | null {
  const both = parseBody(line);
  const given = isObject(both) ? own(both, 'headers') : undefined;
  if (!isObject(both) || !isObject(given) || !('body' in both) || Object.keys(both).length !== 2) return null;
  const text = line.toString('utf8');
  const member = treeOf(text)?.children?.find(({ children }) => children?.[0]?.value === 'body');
  const body = member?.children?.[1];
  if (!body) return null;
  const headers = Object.entries(given).flatMap(([name, value]): [string, string][] =>
    // As Node gives those of a request.
    typeof value === 'string' ? [[name.toLowerCase(), Buffer.from(value, 'utf8').toString('latin1')]] : [],
  );
  return {
    raw: Buffer.from(text.slice(body.offset, body.offset + body.length)),
    headers: Object.fromEntries(headers),
  };
}

function treeOf(text: string): Node | undefined {
  try {
    return parseTree(text);
  } catch {
    // So deep that the parser's stack overflows.
    return undefined;
  }
}
