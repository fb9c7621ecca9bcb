import type { RenderedRequest } from '../../action/action.js';
import { type DeliveryState, RECALLED } from '../../action/delivery-states.js';
import type { NewDelivery } from '../../action/delivery-store.js';
import { canonical } from '../analysis/action-fingerprint.js';

/** A delivery that a rule has made, as a recall sees it. */
export interface StandingDelivery {
  readonly id: string;
  readonly rule: string;
  readonly action: string;
  readonly target: string;
  readonly entity: string;
  readonly cause: string;
  readonly generation: number;
  /** Of the stored event, and of the evaluation that asked for it. */
  readonly eventId: string;
  readonly occasion: string;
  readonly state: DeliveryState;
  /** Why it is dead or cancelled. */
  readonly code: string | null;
  /** It was delivered, or perhaps: an attempt of it had no answer. */
  readonly effective: boolean;
  /** Something that takes it back was made already. */
  readonly undone: boolean;
  /** A message that was gathered of several events. */
  readonly isDigest: boolean;
  /** The recall is about it. */
  readonly selected: boolean;
  readonly orderKey: string | null;
  /** Null: it could not be rendered, or was erased. */
  readonly request: RenderedRequest | null;
}

/** What a recall does with one delivery. `code`: why nothing is done with it. */
export type Fate =
  | { readonly kind: 'kept' }
  /** It is taken out of the queue, or what it did is taken back, or both. */
  | { readonly kind: 'taken'; readonly cancel: boolean; readonly undo: boolean }
  | { readonly kind: 'gone'; readonly code: string }
  | { readonly kind: 'person'; readonly code: string };

/** What a recall does about one action for one cause. */
export interface ChainPlan {
  /** By the id of each delivery that the recall is about. */
  readonly fates: ReadonlyMap<string, Fate>;
  /** Of the delivery that the mended rule asks for: that of one that is there already, or one that is free. */
  readonly generation: number;
}

/** What all deliveries of one action for one cause have in common, whatever their generation. */
export function chainKeyOf({
  rule,
  action,
  entity,
  cause,
}: Pick<NewDelivery, 'rule' | 'action' | 'entity' | 'cause'>): string {
  return JSON.stringify([rule, action, entity, cause]);
}

const TO_BE_SENT: readonly DeliveryState[] = ['held', 'deferred', 'pending'];

/**
 * What becomes of the deliveries of one action for one cause. `chain`: all of them, in any order; none is being sent.
 * `wanted`: what the mended rule asks for; null: nothing. Only the latest generation stands for the others: what is as
 * the mended rule wants it is kept, and all else is taken back. Pure.
 */
export function planChain(chain: readonly StandingDelivery[], wanted: NewDelivery | null): ChainPlan {
  const sorted = [...chain].sort((a, b) => a.generation - b.generation);
  const last = sorted.at(-1);
  if (!last) return { fates: new Map(), generation: 0 };
  const fates = new Map<string, Fate>();
  for (const one of sorted.slice(0, -1)) if (one.selected) fates.set(one.id, replacedFate(one));
  // What the recall is not about stays, and is not sent a second time.
  if (!last.selected) return { fates, generation: last.generation };
  const { fate, free } = fateOf(last, wanted);
  fates.set(last.id, fate);
  return { fates, generation: free ? last.generation + 1 : last.generation };
}

/** One in whose place another went. */
function replacedFate({ effective, undone }: StandingDelivery): Fate {
  return effective && !undone
    ? { kind: 'person', code: 'RECALL_SUPERSEDED' }
    : { kind: 'gone', code: 'RECALL_SUPERSEDED' };
}

/** `free`: what the mended rule asks for goes in its place. */
function fateOf(
  last: StandingDelivery,
  wanted: NewDelivery | null,
): { readonly fate: Fate; readonly free: boolean } {
  const { state, effective, undone, code } = last;
  if (last.isDigest) return { fate: { kind: 'person', code: 'RECALL_DIGEST' }, free: false };
  const same = wanted !== null && isSameRequest(last, wanted);
  const waits = TO_BE_SENT.includes(state);
  const stands = effective ? !undone : waits || state === 'dead';
  if (same && stands) return { fate: { kind: 'kept' }, free: false };
  // Somebody has decided that it is not sent, and the mended rule asks for nothing else.
  if (same && !effective && state === 'cancelled' && code !== RECALLED.code)
    return { fate: { kind: 'gone', code: code ?? 'CANCELLED' }, free: false };
  const cancel = waits || state === 'dead';
  const undo = effective && !undone;
  if (!cancel && !undo)
    return {
      fate: { kind: 'gone', code: undone ? 'RECALL_UNDONE_BEFORE' : (code ?? 'CANCELLED') },
      free: true,
    };
  return { fate: { kind: 'taken', cancel, undo }, free: true };
}

/**
 * Whether the target would get the same. How long it is waited for, how often it is tried and what counts as success
 * is no part of that, and secrets are compared by where they stand, not by their names: a new password is no new
 * message.
 */
export function isSameRequest(
  one: { readonly target: string; readonly request: RenderedRequest | null },
  other: { readonly target: string; readonly request: RenderedRequest | null },
): boolean {
  if (one.request === null || other.request === null || one.target !== other.target) return false;
  return sentOf(one.request) === sentOf(other.request);
}

/** Of a content, what the target does not see. */
const UNSEEN = ['timeoutMs', 'success'];

function sentOf({ kind, content, secrets }: RenderedRequest): string {
  const sent = Object.entries(content).filter(([key]) => !UNSEEN.includes(key));
  const slots = secrets.map(({ at, pieces }) => [
    at,
    pieces.map((piece) => (typeof piece === 'string' ? piece : null)),
  ]);
  // Through JSON, as one of the two was.
  return canonical(JSON.parse(JSON.stringify([kind, Object.fromEntries(sent), slots])));
}
