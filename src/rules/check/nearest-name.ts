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
const MOST_CANDIDATES = 300;

const MOST_SHOWN = 30;

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
    if (seen > MOST_CANDIDATES) break;
    if (candidate === name) continue;
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
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const nearest = nearestName(name, candidates);
  if (nearest !== null) return `Did you mean "${nearest}"?`;
  const shown: string[] = [];
  for (const candidate of candidates) {
    if (shown.length === MOST_SHOWN) return `Use one of ${shown.join(', ')}, ….`;
    shown.push(candidate);
  }
  return `Use one of ${shown.join(', ')}.`;
}

/** Longer names are no near misses of anything. The rows are used again: names are compared by the hundred thousand. */
const ROW = 256;
const ROWS = new Uint16Array(3 * ROW);

/** Letters to add, remove, change or swap with their neighbour; `bound` when it is that many or more. */
export function editDistance(one: string, two: string, bound: number): number {
  // Names of one family begin and end alike.
  let start = 0;
  while (start < one.length && one[start] === two[start]) start += 1;
  let end = 0;
  while (
    end < Math.min(one.length, two.length) - start &&
    one[one.length - 1 - end] === two[two.length - 1 - end]
  )
    end += 1;
  const a = one.slice(start, one.length - end);
  const b = two.slice(start, two.length - end);
  if (Math.abs(a.length - b.length) >= bound || Math.max(a.length, b.length) >= ROW) return bound;
  const rows = ROWS;
  for (let j = 0; j <= b.length; j += 1) rows[j] = j;
  for (let i = 1; i <= a.length; i += 1) {
    const row = (i % 3) * ROW;
    const last = ((i + 2) % 3) * ROW;
    const beforeLast = ((i + 1) % 3) * ROW;
    const letter = a.charCodeAt(i - 1);
    let best = i;
    rows[row] = i;
    for (let j = 1; j <= b.length; j += 1) {
      const other = b.charCodeAt(j - 1);
      let cost = Math.min(
        (rows[last + j] ?? 0) + 1,
        (rows[row + j - 1] ?? 0) + 1,
        (rows[last + j - 1] ?? 0) + (letter === other ? 0 : 1),
      );
      if (i > 1 && j > 1 && letter === b.charCodeAt(j - 2) && a.charCodeAt(i - 2) === other)
        cost = Math.min(cost, (rows[beforeLast + j - 2] ?? 0) + 1);
      rows[row + j] = cost;
      if (cost < best) best = cost;
    }
    if (best >= bound) return bound;
  }
  return Math.min(rows[(a.length % 3) * ROW + b.length] ?? bound, bound);
}
