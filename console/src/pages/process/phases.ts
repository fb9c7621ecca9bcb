import type { CatalogueEntry, Entity, EntityTransition } from '../../api/types.js';
import type { Phase } from './layout.js';

/**
 * What the statuses of a process mean. As the answer says it where the status still stands; else as the catalogue has
 * it for the type of the event, or for any type that tells a status of that level.
 */
export function phasesOf(
  entity: Entity,
  catalogue: readonly CatalogueEntry[],
): (transition: EntityTransition) => Phase {
  const known = new Map<string, Phase>();
  const learn = (level: string, status: Entity['status']): void => {
    if (status) known.set(`${level} ${status.value}`, status.phase);
  };
  learn('process', entity.status);
  for (const { status } of entity.nodes) learn('node', status);
  for (const { status } of entity.tasks) learn('task', status);
  const types = new Map(entity.events.map(({ eventId, eventType }) => [eventId, eventType]));
  return ({ level, to, eventId }) => {
    const said = known.get(`${level} ${to}`);
    if (said !== undefined) return said;
    const type = types.get(eventId);
    const entry =
      catalogue.find(({ eventType }) => eventType === type) ??
      catalogue.find((one) => one.status && levelOf(one) === level && one.status.order.includes(to));
    return phaseIn(entry?.status, to);
  };
}

/** Whose status the events of a type tell. */
function levelOf({ status, entities }: CatalogueEntry): string {
  if (status?.entity !== undefined) return status.entity;
  return ['task', 'node'].find((one) => Object.hasOwn(entities, one)) ?? 'process';
}

function phaseIn(status: CatalogueEntry['status'], value: string | number): Phase {
  if (!status) return 'unknown';
  const { order, terminal, outcomes } = status;
  for (const phase of ['done', 'rejected', 'cancelled'] as const)
    if (outcomes?.[phase]?.includes(value)) return phase;
  if (terminal?.includes(value)) return 'ended';
  return order.includes(value) ? 'open' : 'unknown';
}
