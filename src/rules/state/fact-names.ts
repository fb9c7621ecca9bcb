const PREFIXES = ['task.', 'node.', 'process.', 'now.'];

/** Whether a name is that of a fact of the state or the clock: no field of an event is ever read under it. */
export function isStateFact(name: string): boolean {
  return name === 'event.late' || PREFIXES.some((prefix) => name.startsWith(prefix));
}
