/** One place at which two JSON values differ. `before` or `after` absent: there is nothing at this place. */
export interface FieldChange {
  /** `body.status`, `headers.x-a`, `to[0]`; empty: the whole. */
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** So many differences of one pair are told. */
const MOST_CHANGES = 50;

/** Where two JSON values differ, the deepest places first named by their path, in the order of the values. */
export function fieldChanges(before: unknown, after: unknown): readonly FieldChange[] {
  const found: FieldChange[] = [];
  visit(before, after, '', found);
  return found;
}

function visit(before: unknown, after: unknown, path: string, found: FieldChange[]): void {
  if (found.length >= MOST_CHANGES || before === after) return;
  if (Array.isArray(before) && Array.isArray(after)) {
    for (let at = 0; at < Math.max(before.length, after.length); at += 1)
      visit(before[at], after[at], `${path}[${at}]`, found);
    return;
  }
  if (isPlain(before) && isPlain(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const own = (of: Record<string, unknown>): unknown => (Object.hasOwn(of, name) ? of[name] : undefined);
      visit(own(before), own(after), path === '' ? name : `${path}.${name}`, found);
    }
    return;
  }
  found.push({
    path,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  });
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
