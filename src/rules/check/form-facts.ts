import type { ConditionForm, FactForm } from './condition-form.js';

/** The facts that conditions read themselves; what named ones read stands elsewhere. */
export function factsIn(form: ConditionForm | null): readonly FactForm[] {
  if (!form || form.kind === 'condition') return [];
  if (form.kind !== 'leaf') return form.children.flatMap(factsIn);
  return [form.fact, form.other].filter((one) => one !== null);
}
