/** Parts of rule files, written shortly. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = Readonly<Record<string, Json>>;

export const TASK = 'corehr.process.approver.updated_v2';
export const EXPENSE = 'expense.submitted_v1';

export function leaf(fact: string, operator: string, value: Json, path?: string): JsonObject {
  return { fact, operator, value, ...(path === undefined ? {} : { path }) };
}

export const all = (...conditions: readonly JsonObject[]): JsonObject => ({ all: conditions });
export const any = (...conditions: readonly JsonObject[]): JsonObject => ({ any: conditions });
export const not = (condition: JsonObject): JsonObject => ({ not: condition });

/** An action that nobody else sends, unless `to` is the same. */
export function tell(to: string, more: JsonObject = {}): JsonObject {
  return { type: 'http', name: 'tell', url: `https://desk.example/${to}`, body: { to }, ...more };
}

export function rule(name: string, trigger: Json, conditions: JsonObject, more: JsonObject = {}): JsonObject {
  return {
    name,
    trigger,
    conditions,
    ...('actions' in more || 'escalate' in more ? {} : { actions: [tell(name)] }),
    ...more,
  };
}

/** Each rule in a file of its own. */
export function filesOf(
  rules: readonly JsonObject[],
  others: Readonly<Record<string, Json>> = {},
): Map<string, string> {
  return new Map([
    ...rules.map((one, at): [string, string] => [`topic/${at}.rule.json`, JSON.stringify(one, null, 2)]),
    ...Object.entries(others).map(([file, content]): [string, string] => [
      file,
      JSON.stringify(content, null, 2),
    ]),
  ]);
}
