import { useQueries } from '@tanstack/react-query';
import { api, segment } from '../../api/client.js';
import type { RuleAnswer, Timer } from '../../api/types.js';

/** A step of a ladder as the live rule has it. */
export interface LadderStep {
  readonly name: string;
  /** As the rule says it: `2 workdays`. Null: the live rule does not have the step. */
  readonly after: string | null;
  readonly stands: 'sent' | 'next' | 'later' | 'stopped';
}

type KnownSteps = readonly { readonly name: string; readonly after: string }[];

/** More rules than this have a ladder each that knows only its own steps. */
const MOST_RULES = 20;

/** The steps of rules, by the rule's name; one whose rule is not live, or not there yet, is missing. */
export function useRuleSteps(rules: readonly string[]): ReadonlyMap<string, KnownSteps> {
  const names = [...new Set(rules)].slice(0, MOST_RULES);
  return useQueries({
    queries: names.map((name) => ({
      queryKey: [`/rules/${segment(name)}`, {}],
      queryFn: () => api.get<RuleAnswer>(`/rules/${segment(name)}`),
      staleTime: 60_000,
      retry: false,
    })),
    combine: (answers) =>
      new Map(
        answers.flatMap(({ data }, index) => {
          const name = names[index];
          return data && name !== undefined ? [[name, data.table.steps] as const] : [];
        }),
      ),
  });
}

/**
 * The whole ladder of a timer: what was sent, the next step or where it ended, and what the live rule has behind it. A
 * rule that has changed since does not have them all; then only what the timer itself knows is shown.
 */
export function ladderOf(timer: Timer, known: KnownSteps | undefined): readonly LadderStep[] {
  const { sent, step, state } = timer;
  const own = sent.includes(step) ? sent : [...sent, step];
  const rule = known ?? [];
  const whole = own.every((name) => rule.some((one) => one.name === name))
    ? rule.map(({ name }) => name)
    : own;
  const at = whole.indexOf(step);
  return whole.map((name, index): LadderStep => {
    const after = rule.find((one) => one.name === name)?.after ?? null;
    if (sent.includes(name)) return { name, after, stands: 'sent' };
    if (index === at && state !== 'finished')
      return { name, after, stands: state === 'cancelled' ? 'stopped' : 'next' };
    return { name, after, stands: 'later' };
  });
}
