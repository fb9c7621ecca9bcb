export const DELIVERY_STATES = [
  'held',
  'deferred',
  'pending',
  'delivering',
  'delivered',
  'dead',
  'cancelled',
] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** By what a delivery goes from one state to another. */
export const DELIVERY_MOVES = [
  'release',
  'discard',
  'cancel',
  'due',
  'claim',
  'success',
  'failure',
  'not-sent',
  'lost',
  'refusal',
  'give-up',
  'redrive',
  'replace',
  'recall',
] as const;
export type DeliveryMove = (typeof DELIVERY_MOVES)[number];

/** What a move does, and to what it leads. `to` has more than one state when the move itself decides. */
export interface DeliveryTransition {
  readonly from: readonly DeliveryState[];
  readonly to: readonly DeliveryState[];
  /** For people. docs/deliveries.md has the same table. */
  readonly when: string;
}

/**
 * The life of a delivery: every way from one state to another, and none besides. `delivered`, `dead` and `cancelled`
 * are ends; only a person's redrive leads out of one of them.
 */
export const DELIVERY_TRANSITIONS = {
  release: {
    from: ['held'],
    to: ['pending', 'deferred'],
    when: 'a person lets it go; deferred when an earlier one of its order is not done',
  },
  discard: { from: ['held', 'dead'], to: ['cancelled'], when: 'a person gives it up, with a reason' },
  cancel: {
    from: ['pending', 'deferred'],
    to: ['cancelled'],
    when: 'a person cancels it, or what it gathered for is gone',
  },
  due: {
    from: ['deferred'],
    to: ['pending', 'deferred', 'dead', 'cancelled'],
    when: 'quiet hours, its order or its digest end; a digest that cannot be rendered is dead',
  },
  claim: {
    from: ['pending'],
    to: ['delivering'],
    when: 'it is due and its target has room: an attempt begins',
  },
  success: { from: ['delivering'], to: ['delivered'], when: 'the target has taken it' },
  failure: {
    from: ['delivering'],
    to: ['pending', 'dead'],
    when: 'the attempt failed and may succeed later; dead when its time is used up',
  },
  'not-sent': {
    from: ['delivering'],
    to: ['pending'],
    when: 'a limit of the target was reached: it was no attempt',
  },
  lost: { from: ['delivering'], to: ['pending'], when: 'the instance that was sending is gone' },
  refusal: { from: ['delivering'], to: ['dead'], when: 'trying again cannot help' },
  'give-up': { from: ['pending'], to: ['dead'], when: 'its time is used up while its target is not tried' },
  redrive: {
    from: ['dead'],
    to: ['pending', 'deferred'],
    when: 'a person sends it again as it is: same key, its retries begin anew',
  },
  replace: {
    from: ['dead'],
    to: ['cancelled'],
    when: 'a person redrives it edited: a new delivery with the next generation takes its place',
  },
  recall: {
    from: ['held', 'deferred', 'pending', 'dead'],
    to: ['cancelled'],
    when: 'a person recalls what its rule has sent',
  },
} as const satisfies Record<DeliveryMove, DeliveryTransition>;

/** The code of a delivery that a recall took out. */
export const RECALLED = { code: 'RECALLED' } as const;

/** States that nothing leads out of but a person. */
export const END_STATES = ['delivered', 'dead', 'cancelled'] as const satisfies readonly DeliveryState[];

/** Whether a move may lead from one state to another. */
export function isTransition(move: DeliveryMove, from: DeliveryState, to: DeliveryState): boolean {
  const { from: sources, to: ends }: DeliveryTransition = DELIVERY_TRANSITIONS[move];
  return sources.includes(from) && ends.includes(to);
}
