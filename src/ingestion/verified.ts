import type { IncomingEvent } from '../events/event.js';

/** The headers of a request, by names in lower case. */
export type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Why a request is refused. Whoever has not shown a secret is told nothing that helps to find it. */
export interface Refusal {
  readonly kind: 'refused';
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

/** What a request turned out to be. */
export type Verified =
  | { readonly kind: 'challenge'; readonly challenge: string }
  | { readonly kind: 'event'; readonly event: IncomingEvent }
  | Refusal;

/** A genuine sender's body that is no event; `detail` repeats nothing of it. */
export function invalidBody(detail: string): Refusal {
  return { kind: 'refused', status: 400, code: 'BODY_INVALID', detail };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The text of a header, whose bytes are UTF-8; null when it is missing or is not that. */
export function headerText(headers: RequestHeaders, name: string): string | null {
  const value = headers[name];
  if (typeof value !== 'string' || !Object.hasOwn(headers, name)) return null;
  try {
    // Node reads the bytes of headers as Latin-1.
    return utf8.decode(Buffer.from(value, 'latin1'));
  } catch {
    return null;
  }
}
