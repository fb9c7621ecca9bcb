/** Names that people write for what has another name here. */
const SYNONYMS: Readonly<Record<string, string>> = {
  '=': 'equal',
  '==': 'equal',
  '===': 'equal',
  eq: 'equal',
  is: 'equal',
  '!=': 'notEqual',
  '!==': 'notEqual',
  '<>': 'notEqual',
  ne: 'notEqual',
  neq: 'notEqual',
  '<': 'lessThan',
  lt: 'lessThan',
  '<=': 'lessThanInclusive',
  lte: 'lessThanInclusive',
  lessthanorequal: 'lessThanInclusive',
  '>': 'greaterThan',
  gt: 'greaterThan',
  '>=': 'greaterThanInclusive',
  gte: 'greaterThanInclusive',
  greaterthanorequal: 'greaterThanInclusive',
  nin: 'notIn',
  includes: 'contains',
  regex: 'matches',
  match: 'matches',
  and: 'all',
  or: 'any',
  op: 'operator',
  val: 'value',
  field: 'fact',
  if: 'conditions',
  then: 'actions',
  on: 'trigger',
};

/** As many names are compared at most: whoever has more of them finds the right one in another way. */
const MOST_CANDIDATES = 1000;

/** The candidate that was probably meant, or null: at most a third of the letters, and never more than two, are wrong. */
export function nearestName(name: string, candidates: Iterable<string>): string | null {
  const wanted = name.toLowerCase();
  const synonym = Object.hasOwn(SYNONYMS, wanted) ? SYNONYMS[wanted] : undefined;
  const limit = name.length < 3 ? 0 : name.length < 6 ? 1 : 2;
  let nearest: string | null = null;
  let least = limit + 1;
  let seen = 0;
  for (const candidate of candidates) {
    if (candidate === synonym) return candidate;
    seen += 1;
    if (seen > MOST_CANDIDATES || candidate === name) continue;
    if (Math.abs(candidate.length - name.length) >= least) continue;
    const distance = editDistance(wanted, candidate.toLowerCase(), least);
    if (distance < least) {
      nearest = candidate;
      least = distance;
    }
  }
  return nearest;
}

/** `Did you mean "x"?`, or else the list of what there is. */
export function didYouMean(name: string, candidates: readonly string[]): string {
  const nearest = nearestName(name, candidates);
  if (nearest !== null) return `Did you mean "${nearest}"?`;
  const shown = candidates.slice(0, 30);
  return `Use one of ${shown.join(', ')}${candidates.length > shown.length ? ', …' : ''}.`;
}

/** Letters to add, remove, change or swap with their neighbour; `bound` when it is that many or more. */
export function editDistance(a: string, b: string, bound: number): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    let best = i;
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      row.push(cost);
      best = Math.min(best, cost);
    }
    if (best >= bound) return bound;
    beforeLast = last;
    last = row;
  }
  return Math.min(last[b.length] ?? bound, bound);
}
