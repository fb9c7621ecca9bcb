import type { AskedLeaf, PartitionContext } from './partition-places.js';
import { ERROR, NO, type Option, UNKNOWN, type Variable, variablesOf, YES } from './partition-variables.js';
import { mayFail } from './requirement.js';

/**
 * The same variables, but where not all values are known their leaves may come out as they like, each for itself. What
 * cannot be found even so cannot be.
 */
export function looseVariables(
  variables: readonly Variable[],
  asked: readonly AskedLeaf[],
  context: PartitionContext,
): readonly Variable[] {
  const vague = variables.filter(({ exact }) => !exact).flatMap(({ leaves }) => leaves);
  const hard = vague.filter((at) => isHard(asked[at]));
  // Without those of which not all is known, the others may well be told.
  const rest = variablesOf(asked, context, new Set(hard));
  const free = rest.filter(({ exact }) => !exact).flatMap(({ leaves }) => leaves);
  const told = rest.filter(({ exact }) => exact);
  return [...told, ...looseGroups([...hard, ...free], asked)];
}

function isHard(asked: AskedLeaf | undefined): boolean {
  if (!asked) return false;
  const { base, node } = asked.leaf;
  return node.other !== null || base === null || base.value === 'pattern' || base.fact === 'number';
}

/** What one leaf asks several may ask, or the contrary of it: they come out together. */
function looseGroups(numbers: readonly number[], asked: readonly AskedLeaf[]): readonly Variable[] {
  const groups = new Map<
    string,
    { readonly at: number; readonly denied: boolean; readonly fails: boolean }[]
  >();
  for (const at of numbers) {
    const one = asked[at];
    if (!one) continue;
    const { node, decorators, base } = one.leaf;
    const outer = decorators.findIndex((name) => name !== 'not');
    const nots = outer < 0 ? decorators.length : outer;
    const { fact, path, value, other } = node;
    const operator = [...decorators.slice(nots), base?.name ?? node.operator];
    const key = JSON.stringify([one.moment, fact, path, operator, value, other]);
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push({ at, denied: nots % 2 === 1, fails: mayFail(one) });
  }
  return [...groups.values()].map((group) => {
    const ways = [YES, NO, UNKNOWN, ...(group.some(({ fails }) => fails) ? [ERROR] : [])];
    const flipped = (way: number): number => (way === YES ? NO : way === NO ? YES : way);
    const options = ways.map((way): Option => ({
      values: [],
      states: [],
      outcomes: group.map(({ denied }) => (denied ? flipped(way) : way)),
      cost: 0,
    }));
    return { places: [], leaves: group.map(({ at }) => at), options, exact: false };
  });
}
