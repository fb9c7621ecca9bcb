import type { Rule } from '../rule-set.js';
import type { Inquiry } from './inquiry.js';

/** Says of rules in shadow mode which look-ups they read that nobody asks for them. */
export function reportShadowLookups(inquiry: Inquiry): void {
  const rules = inquiry.ruleSet.rules.filter(({ enabled }) => enabled);
  const shadows = rules.filter(({ mode, lookups }) => mode === 'shadow' && lookups !== null);
  if (shadows.length === 0) return;
  const asked = new Set(rules.filter(({ mode }) => mode === 'live').flatMap(readByEvents));
  for (const rule of shadows) {
    const unasked = new Set(readByEvents(rule).filter((name) => !asked.has(name)));
    const inSteps = [...(rule.lookups?.steps ?? [])].filter((name) => !unasked.has(name));
    if (unasked.size > 0)
      report(
        inquiry,
        rule,
        `no live rule reads ${listOf([...unasked])}, and in shadow mode nobody is asked: this rule stays unknown where it needs it`,
      );
    if (inSteps.length > 0)
      report(
        inquiry,
        rule,
        `in shadow mode nobody is asked before a step: ${listOf(inSteps)} is missing there`,
      );
  }
}

function report(inquiry: Inquiry, rule: Rule, message: string): void {
  inquiry.report({
    code: 'SHADOW_LOOKUP',
    severity: 'info',
    rule,
    spot: { kind: 'key', path: ['mode'] },
    message,
    mend: 'Try it with rule tests, which give the answers; nothing is to be done otherwise.',
  });
}

/** The look-ups that are needed when an event is decided. */
function readByEvents({ lookups }: Rule): readonly string[] {
  return lookups ? [...lookups.conditions, ...lookups.templates] : [];
}

function listOf(names: readonly string[]): string {
  return `the look-up${names.length > 1 ? 's' : ''} ${names.map((name) => `"${name}"`).join(', ')}`;
}
