import type { Catalogue } from '../../events/catalogue.js';
import { factsOf, ownFieldsOf } from '../../events/event-facts.js';
import type { IncomingEvent } from '../../events/event.js';
import type { StoredEvent } from '../../events/event-store.js';
import { placeOf } from '../state/observe.js';
import { type MissingEvent, PROCESS_TYPES, TASK_TYPE } from './missing-events.js';
import { reconciledId } from './reconciled-id.js';

/** A stored event of the same process, and what it says: other events of it say the same of some things. */
interface Sibling {
  readonly event: StoredEvent;
  readonly fields: ReadonlyMap<string, unknown>;
  readonly task: string | null;
  readonly tenantKey: unknown;
}

/** Fields by which all events of a process say the same. */
const OF_PROCESS = ['process_id', 'biz_type', 'flow_definition_id'];
/** And those of tasks that wait at the same node. */
const OF_NODE = ['node_id', 'node_id_str', 'node_definition_id'];

/**
 * Makes an event in the form of the one that was lost: its fields as other events of the same task, node and process have
 * them, and as far as the platform's detail says them. Null: there is nothing to make it of, or no id for it. `stored`: events
 * of the process, those that cannot be read among them.
 */
export function syntheticEvent(
  missing: MissingEvent,
  stored: readonly StoredEvent[],
  catalogue: Catalogue,
): IncomingEvent | null {
  const siblings = stored.flatMap((event) => siblingOf(event, catalogue));
  const [any] = siblings;
  const fields = any && fieldsOf(missing, siblings);
  if (!any || !fields) return null;
  const { eventType, at } = missing;
  const { origin } = any.event;
  const map = new Map(Object.entries(fields));
  const eventId = reconciledId(eventType, placeOf(catalogue, eventType, map));
  const rootEntity = catalogue.rootEntityOf(eventType, map);
  if (eventId === null || rootEntity === null) return null;
  const envelope = {
    schema: '2.0',
    header: {
      event_id: eventId,
      event_type: eventType,
      create_time: String(at),
      token: '',
      app_id: origin.slice(origin.indexOf(':') + 1),
      ...(typeof any.tenantKey === 'string' ? { tenant_key: any.tenantKey } : {}),
    },
    event: fields,
  };
  return {
    origin,
    eventId,
    eventType,
    source: 'reconcile',
    createTime: at,
    statusRank: catalogue.statusRankOf(eventType, map),
    rootEntity,
    raw: Buffer.from(JSON.stringify(envelope)),
    content: null,
    transport: null,
  };
}

function siblingOf(event: StoredEvent, catalogue: Catalogue): Sibling[] {
  if (event.erasedAt !== null || !event.origin.startsWith('feishu:')) return [];
  try {
    const facts = factsOf(event);
    const fields = ownFieldsOf(event);
    const { task } = placeOf(catalogue, event.eventType, facts);
    return [{ event, fields, task, tenantKey: facts.get('tenant_key') }];
  } catch {
    return [];
  }
}

function fieldsOf(
  { eventType, task, status }: MissingEvent,
  siblings: readonly Sibling[],
): Record<string, unknown> | null {
  const alike = siblings.filter(({ event }) => event.eventType === eventType);
  if (task === null) {
    const [one] = alike;
    return one
      ? { ...Object.fromEntries(one.fields), status }
      : PROCESS_TYPES.includes(eventType)
        ? { ...taken(siblings, OF_PROCESS), status }
        : null;
  }
  const own = alike.find((one) => one.task === task.id);
  if (own) return { ...Object.fromEntries(own.fields), status };
  if (eventType !== TASK_TYPE) return null;
  const { nodeDefinition, type, id } = task;
  const atNode = alike.filter(
    ({ fields }) => nodeDefinition !== null && fields.get('node_definition_id') === nodeDefinition,
  );
  return {
    ...taken(siblings, OF_PROCESS),
    approver_id: id,
    ...(type === null ? {} : { type }),
    status,
    ...(nodeDefinition === null ? {} : { node_definition_id: nodeDefinition }),
    ...taken(atNode, OF_NODE),
  };
}

function taken(siblings: readonly Sibling[], names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const one = siblings.find(({ fields }) => fields.has(name));
      return one ? [[name, one.fields.get(name)]] : [];
    }),
  );
}
