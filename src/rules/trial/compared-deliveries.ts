import type { ActionKind } from '../../action/action.js';
import { readableRequest } from '../../action/readable-request.js';
import { requestWithReferences } from '../../action/request-with-references.js';
import type { Match } from '../firing.js';

export type Change = 'same' | 'added' | 'removed' | 'changed';

/** What a rule would send for an event, beside what another version of it would. */
export interface ComparedDelivery {
  readonly rule: string;
  readonly action: string;
  readonly kind: ActionKind;
  readonly target: string;
  readonly change: Change;
  /** It would be gathered into a digest, which is rendered when that is due. */
  readonly gathered: boolean;
  /** Why it cannot be rendered; null: it can, or is gathered. */
  readonly code: string | null;
  readonly reason: string | null;
  /** With references where secrets will stand. Null: removed, gathered, or not to be rendered. */
  readonly request: unknown;
  readonly before: unknown;
}

interface Asked {
  readonly rule: string;
  readonly action: string;
  readonly kind: ActionKind;
  readonly target: string;
  readonly gathered: boolean;
  readonly code: string | null;
  readonly reason: string | null;
  readonly request: unknown;
}

/** By rule and action: those of `now` in their order, then what is not asked for any more. */
export function compareDeliveries(now: readonly Match[], before: readonly Match[]): ComparedDelivery[] {
  const earlier = new Map(before.flatMap(askedOf).map((one) => [keyOf(one), one]));
  const compared = now.flatMap(askedOf).map((one): ComparedDelivery => {
    const other = earlier.get(keyOf(one));
    earlier.delete(keyOf(one));
    if (!other) return { ...one, change: 'added', before: null };
    return {
      ...one,
      change: canonical(one) === canonical(other) ? 'same' : 'changed',
      before: other.request,
    };
  });
  const removed = [...earlier.values()].map((one): ComparedDelivery => ({
    ...one,
    change: 'removed',
    request: null,
    before: one.request,
  }));
  return [...compared, ...removed];
}

function askedOf({ rule, deliveries, items }: Match): Asked[] {
  return [
    ...deliveries.map(({ action, kind, target, code, reason, request }) => ({
      rule: rule.name,
      action,
      kind,
      target,
      gathered: false,
      code,
      reason,
      request: request && readableRequest(requestWithReferences(request)),
    })),
    ...items.map(({ action, kind }) => ({
      rule: rule.name,
      action,
      kind,
      target: `${kind}:`,
      gathered: true,
      code: null,
      reason: null,
      request: null,
    })),
  ];
}

function keyOf({ rule, action }: Asked): string {
  return JSON.stringify([rule, action]);
}

/** The order of keys says nothing. */
function canonical({ target, gathered, code, reason, request }: Asked): string {
  return JSON.stringify([target, gathered, code, reason, request], (_key, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
