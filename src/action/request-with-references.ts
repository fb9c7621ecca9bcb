import type { RenderedRequest } from './action.js';

/** A request for people: where a secret will stand, `{{ secrets.NAME }}` does, as in its template. */
export function requestWithReferences({
  kind,
  content,
  secrets,
  retry,
}: RenderedRequest): Record<string, unknown> {
  const shown = structuredClone(content) as unknown as Record<string, unknown>;
  for (const { at, pieces } of secrets) {
    put(
      shown,
      at,
      pieces.map((piece) => (typeof piece === 'string' ? piece : `{{ secrets.${piece.secret} }}`)).join(''),
    );
  }
  return { kind, ...shown, retry };
}

function put(content: Record<string, unknown>, at: readonly (string | number)[], text: string): void {
  let holder: unknown = content;
  for (const key of at.slice(0, -1)) {
    if (typeof holder !== 'object' || holder === null) return;
    holder = (holder as Record<string | number, unknown>)[key];
  }
  const last = at.at(-1);
  if (typeof holder === 'object' && holder !== null && last !== undefined)
    (holder as Record<string | number, unknown>)[last] = text;
}
