import type { Catalogue, CatalogueEntry, FieldDefinition, Label } from '../../events/catalogue.js';
import { currentOf, transitionsOf } from '../../rules/state/observe.js';
import { stateFacts } from '../../rules/state/state-facts.js';
import type { EntityState, EventPlace, Level, RootState } from '../../rules/state/root-state.js';
import type { EntityNode, EntityStatus, EntityTask, EntityTransition } from './entities.schema.js';
import { isPersonal, MASK, maskEntity } from './personal.js';

/** So many changes of status are told, of whatever in the root entity they are. */
const HISTORY_SHOWN = 500;

/** The state of a root entity in the words of the catalogue. */
export class StateView {
  private readonly own: string;

  constructor(
    entity: string,
    private readonly state: RootState,
    private readonly catalogue: Catalogue,
    /** Ids and statuses that the catalogue keeps from viewers are. */
    private readonly masked: boolean,
  ) {
    this.own = entity.slice(entity.indexOf(':') + 1);
  }

  get status(): EntityStatus | null {
    return this.statusOf(this.state.process);
  }

  /** Those of which a status is known or that a task names; the one that was seen first comes first. */
  nodes(now: number): EntityNode[] {
    const { nodes, tasks } = this.state;
    const ids = new Set(inOrder(nodes).map(([id]) => id));
    for (const [, { node }] of inOrder(tasks)) if (node !== null) ids.add(node);
    return [...ids].map((id) => {
      const facts = stateFacts(this.state, { ...NOWHERE, process: this.own, node: id }, null, now, false);
      const count = (name: string): number => {
        const value = facts[`node.${name}`];
        return typeof value === 'number' ? value : 0;
      };
      const complete = facts['node.complete'];
      return {
        id: this.idOf('node', id),
        status: this.statusOf(Object.hasOwn(nodes, id) ? nodes[id] : null),
        seen: count('seen'),
        pending: count('pending'),
        done: count('done'),
        rejected: count('rejected'),
        cancelled: count('cancelled'),
        complete: typeof complete === 'boolean' ? complete : null,
      };
    });
  }

  /** The one that was seen first comes first. */
  tasks(): EntityTask[] {
    return inOrder(this.state.tasks).flatMap(([id, task]) => {
      const status = this.statusOf(task);
      const node = task.node === null ? null : this.idOf('node', task.node);
      return status ? [{ id: this.idOf('task', id), node, status }] : [];
    });
  }

  /** The last changes of status, the earliest first. */
  history(): EntityTransition[] {
    const { process, nodes, tasks } = this.state;
    const all = [
      ...(process ? this.historyOf('process', this.own, process) : []),
      ...Object.entries(nodes).flatMap(([id, node]) => this.historyOf('node', id, node)),
      ...Object.entries(tasks).flatMap(([id, task]) => this.historyOf('task', id, task)),
    ];
    // Of one moment, what an entity went through stays in its order.
    return all.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)).slice(-HISTORY_SHOWN);
  }

  private historyOf(level: Level, id: string, entity: EntityState): EntityTransition[] {
    const field = this.fieldOf(entity);
    return transitionsOf(entity).map(({ time, eventId, from, to, kind }) => ({
      at: new Date(time).toISOString(),
      level,
      id: this.idOf(level, id),
      eventId,
      ...(from === undefined ? {} : { from: from === null ? null : this.valueOf(from, field) }),
      fromLabel: this.labelOf(from, field),
      to: this.valueOf(to, field),
      toLabel: this.labelOf(to, field),
      kind,
    }));
  }

  private statusOf(entity: EntityState | null | undefined): EntityStatus | null {
    const current = currentOf(entity);
    if (!entity || !current) return null;
    const [, , , status, phase] = current;
    const field = this.fieldOf(entity);
    const since = entity.seen[entity.seen.findLastIndex((one) => one[3] !== status) + 1]?.[0] ?? current[0];
    return {
      value: this.valueOf(status, field),
      label: this.labelOf(status, field),
      phase,
      since: new Date(since).toISOString(),
    };
  }

  /** The status field of the event type that spoke last. */
  private fieldOf({ latestType }: EntityState): FieldDefinition | null {
    const entry: CatalogueEntry | null = this.catalogue.find(latestType);
    const name = entry?.status?.field;
    return entry && name !== undefined && Object.hasOwn(entry.fields, name)
      ? (entry.fields[name] ?? null)
      : null;
  }

  private valueOf(status: string | number, field: FieldDefinition | null): string | number {
    return this.masked && isPersonal(field) ? MASK : status;
  }

  private labelOf(status: string | number | null | undefined, field: FieldDefinition | null): Label | null {
    if (this.masked && isPersonal(field)) return null;
    return field?.enum?.find(({ value }) => value === status)?.label ?? null;
  }

  private idOf(level: Level, id: string): string {
    if (!this.masked || level === 'process') return id;
    return maskEntity(`${level}:${id}`, this.catalogue).slice(level.length + 1);
  }
}

const NOWHERE: EventPlace = {
  process: null,
  node: null,
  task: null,
  tells: null,
  status: null,
  phase: 'unknown',
};

function inOrder(entities: Readonly<Record<string, EntityState>>): [string, EntityState][] {
  return Object.entries(entities).sort(([, a], [, b]) => (a.seen[0]?.[0] ?? 0) - (b.seen[0]?.[0] ?? 0));
}
