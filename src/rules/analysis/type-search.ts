import { isDeepStrictEqual } from 'node:util';
import type { LeafNode } from '../condition-tree.js';
import type { Witness } from '../finding.js';
import type { Rule } from '../rule-set.js';
import type { Answer, Goal, Model } from './answer.js';
import type { Inquiry } from './inquiry.js';
import type { ListenedType } from './listened-types.js';
import { factsOfWitness, nowOfWitness, witnessOf } from './witness-event.js';

/** Facts of an event of one of the types. */
export interface Found {
  readonly type: ListenedType;
  readonly model: Model;
}

/** Whether goals can be met by an event of any of some types. */
export type Search =
  | ({ readonly told: 'found' } & Found)
  /** By none. `core`: of the first type; it is looked for when it is asked for. */
  | { readonly told: 'none'; readonly core: readonly LeafNode[] }
  | { readonly told: 'undecided'; readonly reason: 'budget' | 'inexact' }
  | { readonly told: 'cut' };

/** Looks type by type. What the conditions themselves do not confirm is not found. */
export function searchTypes(
  inquiry: Inquiry,
  types: readonly ListenedType[],
  goals: readonly Goal[],
  confirms: (model: Model) => boolean,
): Search {
  let open: Search | null = null;
  let first: (Answer & { readonly answer: 'no' }) | null = null;
  for (const type of types) {
    const answer = inquiry.ask([...goals, ...type.given], type.space);
    if (!answer) return { told: 'cut' };
    if (answer.answer === 'yes') {
      if (confirms(answer.model)) return { told: 'found', type, model: answer.model };
      open ??= { told: 'undecided', reason: 'inexact' };
    } else if (answer.answer === 'undecided') open ??= { told: 'undecided', reason: answer.reason };
    else first ??= answer;
  }
  if (open) return open;
  return {
    told: 'none',
    get core() {
      return first?.core ?? [];
    },
  };
}

/** The event of a model, as it would be sent; null: none can be written that stands for the facts that were confirmed. */
export function witnessFor(
  inquiry: Inquiry,
  { trigger }: Pick<Rule, 'trigger'>,
  { type, model }: Found,
): Witness | null {
  const named = model.facts.get('event_type');
  const eventType = type.eventType ?? (typeof named === 'string' ? named : (trigger[0] ?? ''));
  try {
    const witness = witnessOf(model, inquiry.ruleSet, eventType);
    const same =
      isDeepStrictEqual(factsOfWitness(witness), model.facts) && nowOfWitness(witness) === model.now;
    return same ? witness : null;
  } catch {
    // Facts that no envelope can hold, like an event without an id.
    return null;
  }
}
