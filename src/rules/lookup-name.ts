/** What names of look-ups look like. */
export const LOOKUP_NAME = /^[a-z][a-zA-Z0-9_]{0,39}$/;

const ROOT = 'lookup';

/** A fact of a look-up's answer: `lookup.process.task.status` is the member `task.status` of the fact `lookup.process`. */
export interface LookupPlace {
  readonly name: string;
  /** The whole answer. */
  readonly fact: string;
  readonly members: readonly string[];
}

/** The fact that a look-up's whole answer is. An event's own field of such a name is no fact. */
export function lookupFact(name: string): string {
  return `${ROOT}.${name}`;
}

/** Which look-up a fact is of, and what of its answer; null: it is a fact of another kind. */
export function lookupPlaceOf(fact: string): LookupPlace | null {
  if (!fact.startsWith(`${ROOT}.`)) return null;
  const [name = '', ...members] = fact.slice(ROOT.length + 1).split('.');
  return { name, fact: lookupFact(name), members };
}
