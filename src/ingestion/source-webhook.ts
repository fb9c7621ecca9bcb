import type { WebhookSource } from '../config/sources.js';
import type { Catalogue } from '../events/catalogue.js';
import { type Authenticity, authenticityOf } from './authenticity.js';
import { cloudEventTransport } from './cloud-event-http.js';
import { SourceEvents } from './source-events.js';
import type { Refusal, RequestHeaders, Verified } from './verified.js';

const NOT_AUTHENTIC: Refusal = {
  kind: 'refused',
  status: 401,
  code: 'NOT_AUTHENTIC',
  detail: 'The signature or the token does not fit this source.',
};

/** Turns a request of a declared system into an event. Raw bytes first: what is not genuine is never parsed. */
export class SourceWebhook {
  private readonly authenticity: Authenticity;
  private readonly events: SourceEvents;

  constructor(
    readonly source: WebhookSource,
    catalogue: { readonly current: Catalogue },
    builtIn: Catalogue,
  ) {
    this.authenticity = authenticityOf(source.verification);
    this.events = new SourceEvents(source, catalogue, builtIn);
  }

  /** `now` in ms since 1970. */
  verify(headers: RequestHeaders, raw: Buffer, now: number): Verified {
    const { coversHeaders } = this.authenticity;
    if (!this.authenticity.holds(headers, raw, now)) return NOT_AUTHENTIC;
    const transport =
      this.source.format.kind === 'cloudevents' ? cloudEventTransport(headers, coversHeaders) : null;
    if (transport !== null && 'kind' in transport) return transport;
    const event = this.events.of(raw, headers, transport, 'webhook');
    return 'kind' in event ? event : { kind: 'event', event };
  }
}
