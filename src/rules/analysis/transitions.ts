import type { Catalogue, CatalogueEntry } from '../../events/catalogue.js';
import { hasLevel, levelTold, rootOf } from '../state/levels.js';

/** The values of `task.transition` by the order of statuses that the catalogue knows. */
export interface Transitions {
  /** From a status to a later one, to the same again, and the first of all. */
  readonly forward: ReadonlySet<string>;
  /** Out of a status after which nobody is waited for, into one in which somebody is. */
  readonly reopening: ReadonlySet<string>;
  /** All statuses, as texts. */
  readonly statuses: readonly string[];
}

/** Those of the tasks that events of a type are about; null: nobody tells their status. */
export function transitionsOf(catalogue: Catalogue, entry: CatalogueEntry): Transitions | null {
  if (!hasLevel(entry, 'task')) return null;
  const root = rootOf(entry);
  const tellers =
    levelTold(entry) === 'task'
      ? [entry]
      : catalogue.entries.filter((one) => rootOf(one) === root && levelTold(one) === 'task');
  if (tellers.length === 0) return null;
  const forward = new Set<string>();
  const reopening = new Set<string>();
  const statuses = new Set<string>();
  for (const { status, fields } of tellers) {
    if (!status) continue;
    const { order, terminal = [] } = status;
    const [first] = order;
    if (first !== undefined) forward.add(`>${first}`);
    // Of a value that the order leaves out nobody knows where it stands.
    const others = (fields[status.field]?.enum ?? [])
      .map(({ value }) => value)
      .filter((one) => !order.includes(one));
    for (const one of [...order, ...others]) {
      statuses.add(String(one));
      for (const other of [...order, ...others]) {
        const written = `${one}>${other}`;
        const unplaced = others.includes(one) || others.includes(other);
        const later = order.indexOf(other) > order.indexOf(one) && !terminal.includes(one);
        if (unplaced || one === other || later) forward.add(written);
        else if (terminal.includes(one) && !terminal.includes(other)) reopening.add(written);
      }
    }
  }
  return { forward, reopening, statuses: [...statuses] };
}
