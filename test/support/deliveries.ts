import type { NewDelivery } from '../../src/action/delivery-store.js';

/** A delivery as a decision asks for it. */
export function newDelivery(cause: string, changes: Partial<NewDelivery> = {}): NewDelivery {
  return {
    rule: 'tell',
    action: 'tell',
    kind: 'http',
    target: 'http:a.example',
    entity: 'process:7',
    cause,
    generation: 0,
    state: 'pending',
    code: null,
    reason: null,
    request: {
      kind: 'http',
      secrets: [],
      retry: null,
      content: { method: 'POST', url: 'https://a.example', headers: {}, timeoutMs: 1, success: null },
    },
    ...changes,
  };
}
