import { ApiProblem } from '../../api/client.js';

/** What the service said of a field, by the field's path; what is about no field of the form stays in the problem. */
const FIELDS = [
  'matcher.rule',
  'matcher.action',
  'matcher.owner',
  'matcher.conditions',
  'startsAt',
  'endsAt',
  'for',
  'reason',
] as const;
type Field = (typeof FIELDS)[number];
export type FieldErrors = Partial<Readonly<Record<Field, string>>>;

/** `all`: every error belongs to a field, so nothing is left to be shown apart. */
export function errorsOf(problem: unknown): { readonly fields: FieldErrors; readonly all: boolean } {
  if (!(problem instanceof ApiProblem)) return { fields: {}, all: false };
  const fields: Partial<Record<Field, string>> = {};
  let placed = 0;
  for (const { path, message } of problem.errors) {
    const field = FIELDS.find((one) => path === one || path.startsWith(`${one}.`));
    if (!field) continue;
    placed += 1;
    // Of conditions the place inside them is told too.
    const said = path === field ? message : `${path.slice(field.length + 1)}: ${message}`;
    fields[field] = fields[field] === undefined ? said : `${fields[field]}\n${said}`;
  }
  return { fields, all: placed > 0 && placed === problem.errors.length };
}
