import { isDeepStrictEqual } from 'node:util';
import { isObject } from '../../events/own-member.js';
import type { ExpectedDelivery, ExpectedVerdict } from './case-document.js';
import { momentOf, writtenLike } from './case-moment.js';
import type { CaseFailure, Difference, JudgedRule, SentDelivery } from './case-result.js';

/** What was expected and not sent, and what was sent and not expected. `startedAt` in ms. */
export function matchDeliveries(
  expected: readonly ExpectedDelivery[],
  sent: readonly SentDelivery[],
  startedAt: number,
): readonly CaseFailure[] {
  const failures: CaseFailure[] = [];
  const used = new Set<SentDelivery>();
  for (const group of groupsOf(expected)) {
    const [first] = group;
    const own = sent.filter(({ rule, action }) => rule === first?.rule && action === first.action);
    const differences = group.map((one) => own.map((other) => differencesOf(one, other, startedAt)));
    const partners = assign(group.length, own.length, (a, b) => differences[a]?.[b]?.length === 0);
    for (const at of partners) if (at !== null) used.add(own[at] as SentDelivery);
    failures.push(...closest(group, own, differences, partners, used));
  }
  for (const delivery of sent) if (!used.has(delivery)) failures.push({ kind: 'unexpected', delivery });
  return failures;
}

/** By rule and action, in the order of the list. */
function groupsOf(expected: readonly ExpectedDelivery[]): Iterable<readonly ExpectedDelivery[]> {
  const groups = new Map<string, ExpectedDelivery[]>();
  for (const one of expected) {
    const key = JSON.stringify([one.rule, one.action]);
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return groups.values();
}

/** Gives as many as possible a partner of their own; null: there was none left. */
function assign(
  count: number,
  others: number,
  fits: (one: number, other: number) => boolean,
): readonly (number | null)[] {
  const takenBy = new Array<number | null>(others).fill(null);
  const find = (one: number, tried: Set<number>): boolean => {
    for (let other = 0; other < others; other += 1) {
      if (tried.has(other) || !fits(one, other)) continue;
      tried.add(other);
      const taker = takenBy[other] ?? null;
      if (taker !== null && !find(taker, tried)) continue;
      takenBy[other] = one;
      return true;
    }
    return false;
  };
  for (let one = 0; one < count; one += 1) find(one, new Set());
  const partners = new Array<number | null>(count).fill(null);
  for (const [other, one] of takenBy.entries()) if (one !== null) partners[one] = other;
  return partners;
}

/** What has no partner, with the one that is left and has the fewest differences; nearest pairs first. */
function closest(
  group: readonly ExpectedDelivery[],
  own: readonly SentDelivery[],
  differences: readonly (readonly (readonly Difference[])[])[],
  partners: readonly (number | null)[],
  used: Set<SentDelivery>,
): CaseFailure[] {
  const pairs = group
    .flatMap((_, a) =>
      partners[a] === null ? own.map((_other, b) => ({ a, b, found: differences[a]?.[b] ?? [] })) : [],
    )
    .sort((one, other) => one.found.length - other.found.length || one.a - other.a || one.b - other.b);
  const paired = new Map<
    number,
    { readonly closest: SentDelivery; readonly differences: readonly Difference[] }
  >();
  for (const { a, b, found } of pairs) {
    const delivery = own[b];
    if (!delivery || paired.has(a) || used.has(delivery)) continue;
    used.add(delivery);
    paired.set(a, { closest: delivery, differences: found });
  }
  return group.flatMap((expected, a): CaseFailure | [] =>
    partners[a] === null
      ? { kind: 'missing', expected, ...(paired.get(a) ?? { closest: null, differences: [] }) }
      : [],
  );
}

/** Where a delivery of the same rule and action is not as it was expected. */
export function differencesOf(
  { step, at, state = 'sent', code, with: request }: ExpectedDelivery,
  sent: SentDelivery,
  startedAt: number,
): readonly Difference[] {
  const found: Difference[] = [];
  if (step !== undefined && step !== sent.step)
    found.push({ path: 'step', expected: step, actual: sent.step });
  if (at !== undefined && momentOf(at, startedAt) !== sent.at)
    found.push({ path: 'at', expected: at, actual: writtenLike(at, sent.at, startedAt) });
  if (state !== sent.state) found.push({ path: 'state', expected: state, actual: sent.state });
  if (code !== undefined && code !== sent.code)
    found.push({ path: 'code', expected: code, actual: sent.code });
  if (request !== undefined) compare(request, sent.request, '', found);
  return found;
}

/** Objects in part, lists as a whole with elements in part, everything else as it is. */
function compare(expected: unknown, actual: unknown, path: string, found: Difference[]): void {
  if (Array.isArray(expected) && Array.isArray(actual)) {
    for (let at = 0; at < Math.max(expected.length, actual.length); at += 1) {
      const one: unknown = expected[at];
      const other: unknown = actual[at];
      if (at < expected.length && at < actual.length) compare(one, other, `${path}[${at}]`, found);
      else found.push({ path: `${path}[${at}]`, expected: one, actual: other });
    }
  } else if (isObject(expected) && isObject(actual)) {
    for (const [key, value] of Object.entries(expected)) {
      const at = path === '' ? key : `${path}.${key}`;
      if (Object.hasOwn(actual, key)) compare(value, actual[key], at, found);
      else found.push({ path: at, expected: value, actual: undefined });
    }
  } else if (!isDeepStrictEqual(expected, actual))
    found.push({ path: path === '' ? 'with' : path, expected, actual });
}

/** Where a verdict is not as it was expected. */
export function verdictDifferences(expected: ExpectedVerdict, actual: JudgedRule): readonly Difference[] {
  const { verdict, suppressed, because } = actual;
  const found: Difference[] = [];
  const wanted = typeof expected === 'string' ? { verdict: expected } : expected;
  if (wanted.verdict !== verdict.verdict)
    found.push({ path: 'verdict', expected: wanted.verdict, actual: verdict.verdict });
  const same = (path: string, one: unknown, other: unknown): void => {
    if (one !== undefined && one !== other) found.push({ path, expected: one, actual: other });
  };
  const sameSet = (path: string, one: readonly string[] | undefined, other: readonly string[]): void => {
    if (one && !isDeepStrictEqual(new Set(one), new Set(other)))
      found.push({ path, expected: one, actual: other });
  };
  sameSet('missing', wanted.missing, verdict.verdict === 'unknown' ? verdict.missing : []);
  sameSet('because', wanted.because, wanted.because ? because : []);
  same('cause', wanted.cause, verdict.verdict === 'skipped' ? verdict.cause : undefined);
  const error = verdict.verdict === 'error' ? verdict.error : undefined;
  if (wanted.error !== undefined && error?.includes(wanted.error) !== true)
    found.push({ path: 'error', expected: wanted.error, actual: error });
  for (const [action, cause] of Object.entries(wanted.suppressed ?? {})) {
    const causes = suppressed.filter((one) => one.action === action).map((one) => one.cause);
    if (!causes.includes(cause))
      found.push({ path: `suppressed.${action}`, expected: cause, actual: causes[0] });
  }
  return found;
}
