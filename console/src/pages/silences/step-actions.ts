import { useMemo } from 'react';
import { useAnswer } from '../../api/queries.js';
import type { Rules, SaidRules } from '../../api/types.js';
import type { NamedRule } from './fitting-rules.js';

/** A member of what may be an object; undefined when it is none. */
function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The names of the actions of a rule's steps, from its document. */
function stepActionsOf(document: unknown): string[] {
  return listOf(memberOf(memberOf(document, 'escalate'), 'steps'))
    .flatMap((step) => listOf(memberOf(step, 'actions')))
    .flatMap((action) => {
      const name = memberOf(action, 'name');
      return typeof name === 'string' ? [name] : [];
    });
}

/**
 * The live rules with their actions; null while they are not there yet. The list of rules names only what goes out at
 * once: the actions of steps stand in the documents, which are asked for when an action is named (`withSteps`).
 */
export function useStepActions(live: Rules | undefined, withSteps: boolean): readonly NamedRule[] | null {
  const hash = live?.ruleSet ?? null;
  const { data } = useAnswer<SaidRules>(
    `/rule-sets/${hash ?? ''}/rules`,
    {},
    { when: withSteps && hash !== null },
  );
  return useMemo(() => {
    if (!live) return null;
    const steps = new Map(data?.rules.map(({ name, document }) => [name, stepActionsOf(document)]));
    return live.items.map(({ name, owner, actions }) => ({
      name,
      owner,
      actions: [...actions.map((action) => action.name), ...(steps.get(name) ?? [])],
    }));
  }, [live, data]);
}
