import { api, segment } from '../../api/client.js';
import { askAgain } from '../../api/queries.js';
import type { Delivery, DeliveryDetail } from '../../api/types.js';

export const ACTS = ['redrive', 'release', 'cancel', 'discard'] as const;
/** What a person can do with a delivery. */
export type Act = (typeof ACTS)[number];

/** From which states each is possible: those of docs/deliveries.md. */
const FROM: Readonly<Record<Act, readonly Delivery['state'][]>> = {
  redrive: ['dead'],
  release: ['held'],
  cancel: ['pending', 'deferred'],
  discard: ['held', 'dead'],
};

export function actsOf(state: Delivery['state']): readonly Act[] {
  return ACTS.filter((act) => FROM[act].includes(state));
}

/** Its word among those of every page. */
export const ACT_WORD = {
  redrive: 'redrive',
  release: 'release',
  cancel: 'cancelDelivery',
  discard: 'discard',
} as const satisfies Record<Act, string>;

/** What the dialog says of it. */
export const ACT_ABOUT = {
  redrive: 'redriveAbout',
  release: 'releaseAbout',
  cancel: 'cancelAbout',
  discard: 'discardAbout',
} as const satisfies Record<Act, string>;

export const isTaking = (act: Act): boolean => act === 'discard' || act === 'cancel';

/** Of how an act is done. An empty reason is none. */
export interface How {
  readonly reason: string;
  /** Of a redrive: rendered anew. */
  readonly edited: boolean;
}

/** What the service wants of it: only what is said. */
export function bodyOf(act: Act, { reason, edited }: How) {
  return {
    ...(reason === '' ? {} : { reason }),
    ...(act === 'redrive' && edited ? { edited } : {}),
  };
}

/** Answers the delivery to look at then: an edited one has another id. */
export function actOnOne(id: string, act: Act, how: How): Promise<DeliveryDetail> {
  return api.post<DeliveryDetail>(`/deliveries/${segment(id)}/${act}`, bodyOf(act, how));
}

/** Whatever shows deliveries, or counts them. */
export function askDeliveriesAgain(): Promise<void> {
  return askAgain('/deliveries', '/overview', '/targets', '/events', '/entities');
}
