import { matchesPattern, type Catalogue } from '../../events/catalogue.js';
import { OPEN, PERSONAL, termOf } from '../../events/event-terms.js';
import { wordsOf } from '../../events/words.js';
import type { EventFilter } from './event-list.js';
import { statusTerms } from './status-terms.js';

/** More words than these make a search no narrower. */
const MOST_WORDS = 32;

/**
 * A filter as terms: an event has at least one of each group. Null: no event can have them.
 *
 * @throws Refusal 400 STATUS_UNKNOWN
 */
export function termGroups(
  filter: EventFilter,
  catalogue: Catalogue,
  { personal }: { readonly personal: boolean },
): string[][] | null {
  const groups: string[][] = [];
  const also = (terms: readonly string[]): string[] =>
    personal ? [...terms, ...terms.map((term) => PERSONAL + term)] : [...terms];
  const { type, bizType, status, entity, text, source, origin, state, verdict } = filter;
  if (type !== undefined && type !== '*') groups.push(typeTerms(type, catalogue));
  if (bizType !== undefined) groups.push([termOf('biz_type', bizType)]);
  if (status !== undefined) groups.push(statusTerms(catalogue, status));
  if (source !== undefined) groups.push([termOf('source', source)]);
  if (origin !== undefined) groups.push([termOf('origin', origin)]);
  if (verdict !== undefined) groups.push([termOf('verdict', verdict)]);
  if (entity !== undefined) groups.push(also([termOf('entity', entity.trim())]));
  if (text !== undefined) {
    const words = wordsOf(text);
    if (words.length === 0) return null;
    // The id of an entity is indexed as that alone.
    for (const word of words.slice(0, MOST_WORDS)) groups.push(also([word, termOf('entity', word)]));
  }
  // Nearly all are decided: with another filter it is better to look at the keys of what that has found.
  if (state !== undefined && (state !== 'decided' || groups.length === 0))
    groups.push([state === 'undecided' || state === 'waiting' ? OPEN : termOf('state', state)]);
  return groups.some((group) => group.length === 0) ? null : groups;
}

/** One type, or those of a pattern: of whole parts as the index has it, of another among the known types. */
export function typeTerms(type: string, catalogue: Catalogue): string[] {
  const wanted = type.trim().toLowerCase();
  if (!wanted.includes('*') || /^[^*]+\.\*$/.test(wanted)) return [termOf('type', wanted)];
  return catalogue.entries
    .filter(({ eventType }) => matchesPattern(wanted, eventType.toLowerCase()))
    .map(({ eventType }) => termOf('type', eventType));
}
