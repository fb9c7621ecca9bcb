import type { RenderedRequest } from './action.js';
import { makeReady } from './ready-request.js';

/** A request as it would be sent, for people: a secret is shown as its name in parentheses. Null: there is none. */
export function shownRequest(request: RenderedRequest | null): unknown {
  if (request === null) return null;
  const names = request.secrets.flatMap(({ pieces }) =>
    pieces.flatMap((piece) => (typeof piece === 'string' ? [] : [piece.secret])),
  );
  // In parentheses: percent-encoding leaves them as they are.
  const ready = makeReady(request, new Map(names.map((name) => [name, `(${name})`])));
  return 'request' in ready ? ready.request : null;
}

/** A request with its JSON body as JSON, rather than as a text full of escapes. */
export function readableRequest(request: unknown): unknown {
  if (typeof request !== 'object' || request === null || !('body' in request)) return request;
  const { body } = request;
  if (typeof body !== 'string' || !/^[[{]/.test(body)) return request;
  try {
    return { ...request, body: JSON.parse(body) as unknown };
  } catch {
    return request;
  }
}
