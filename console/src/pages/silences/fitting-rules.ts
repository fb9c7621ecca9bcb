/** The parts of a matcher that say which rules it is about; empty: any. */
export interface RuleParts {
  readonly rule: string;
  readonly action: string;
  readonly owner: string;
}

/** Whether a name fits a pattern, whose `*` stand for any text: as the service reads it. */
function fitsPattern(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === name;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}

/** A rule with the names of all actions that it can ask for. */
export interface NamedRule {
  readonly name: string;
  readonly owner: string | null;
  readonly actions: readonly string[];
}

/** The rules that a matcher is about, before its conditions. */
export function fittingRules(
  rules: readonly NamedRule[],
  { rule, action, owner }: RuleParts,
): readonly NamedRule[] {
  return rules.filter(
    (one) =>
      (rule === '' || fitsPattern(rule, one.name)) &&
      (owner === '' || one.owner === owner) &&
      (action === '' || one.actions.includes(action)),
  );
}

/** What can be written for a rule: the names, and a pattern for each beginning that several share. */
export function ruleSuggestions(rules: readonly NamedRule[]): string[] {
  const begins = new Map<string, number>();
  for (const { name } of rules) {
    const [begin = ''] = name.split('-');
    begins.set(begin, (begins.get(begin) ?? 0) + 1);
  }
  const patterns = [...begins].flatMap(([begin, count]) => (count > 1 ? [`${begin}-*`] : []));
  return [...patterns.sort(), ...rules.map(({ name }) => name)];
}
