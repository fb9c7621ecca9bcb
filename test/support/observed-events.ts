import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { placeOf } from '../../src/rules/state/observe.js';
import type { ObservedEvent } from '../../src/rules/state/root-state.js';

const catalogue = loadBuiltInCatalogue();

export const TASK_TYPE = 'corehr.process.approver.updated_v2';
export const NODE_TYPE = 'corehr.process.node.updated_v2';
export const PROCESS_TYPE = 'corehr.process.status.update_v2';
export const CC_TYPE = 'corehr.process.cc.updated_v2';

/** An event of the process `p` as the state takes it in, by the built-in catalogue. `time` in ms. */
export function observedEvent(
  eventType: string,
  eventId: string,
  time: number,
  fields: Readonly<Record<string, unknown>>,
): ObservedEvent {
  const facts = new Map<string, unknown>([['process_id', 'p'], ...Object.entries(fields)]);
  return {
    id: `stored-${eventId}`,
    eventType,
    eventId,
    orderTime: time,
    statusRank: catalogue.statusRankOf(eventType, facts),
    place: placeOf(catalogue, eventType, facts),
  };
}

export function taskEvent(
  eventId: string,
  time: number,
  status: unknown,
  task = '1',
  node?: string,
): ObservedEvent {
  const named = node === undefined ? {} : { node_id: node };

  return observedEvent(TASK_TYPE, eventId, time, { approver_id: task, status, ...named });
}

export function nodeEvent(eventId: string, time: number, status: unknown, node = 'n'): ObservedEvent {
  return observedEvent(NODE_TYPE, eventId, time, { process_node_id: node, node_status: status });
}

export function processEvent(eventId: string, time: number, status: unknown): ObservedEvent {
  return observedEvent(PROCESS_TYPE, eventId, time, { status });
}
