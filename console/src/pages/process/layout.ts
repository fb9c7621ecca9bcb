import type {
  Delivery,
  Entity,
  EntityNode,
  EntityStatus,
  EntityTask,
  EntityTransition,
  Timer,
} from '../../api/types.js';
import { type Scale, scaleOver } from './scale.js';

export type Phase = EntityStatus['phase'];
export type ShownDelivery = Pick<
  Delivery,
  | 'id'
  | 'eventId'
  | 'occasion'
  | 'rule'
  | 'action'
  | 'target'
  | 'state'
  | 'attempt'
  | 'code'
  | 'createdAt'
  | 'dueAt'
>;

/** For how long something had a status. */
export interface Bar {
  readonly x0: number;
  readonly x1: number;
  /** Milliseconds since 1970; `to` null: until now. */
  readonly from: number;
  readonly to: number | null;
  readonly phase: Phase;
  readonly value: string | number;
  readonly label: EntityTransition['toLabel'];
}

/** A change of status where it happened. */
export interface Mark {
  readonly x: number;
  readonly transition: EntityTransition;
  readonly phase: Phase;
  /** It was received after what happened later. */
  readonly late: boolean;
}

/** Deliveries of one state that were made at about the same time. */
export interface DeliveryMark {
  readonly x: number;
  readonly lane: number;
  readonly state: ShownDelivery['state'];
  readonly deliveries: readonly ShownDelivery[];
}

/** A step of an escalation that went out. */
export interface StepMark {
  readonly x: number;
  readonly step: string;
  readonly at: number;
}

interface Place {
  /** Unique in the picture. */
  readonly key: string;
  readonly y: number;
  readonly height: number;
}
interface StatusRow extends Place {
  readonly bars: readonly Bar[];
  readonly marks: readonly Mark[];
}

export type Row =
  | (StatusRow & { readonly kind: 'process' })
  | (StatusRow & { readonly kind: 'node'; readonly node: EntityNode })
  | (Place & { readonly kind: 'no node' })
  | (StatusRow & { readonly kind: 'task'; readonly task: EntityTask })
  | (Place & {
      readonly kind: 'ladder';
      readonly timer: Timer;
      readonly x0: number;
      /** So far it has come: now, or where it ended. */
      readonly x1: number;
      /** Where the next step is due; null: none is. */
      readonly dueX: number | null;
      readonly steps: readonly StepMark[];
    })
  | (Place & { readonly kind: 'deliveries'; readonly marks: readonly DeliveryMark[] });

export interface Picture {
  readonly scale: Scale;
  readonly rows: readonly Row[];
  readonly height: number;
  /** Null: all is over, and now is far away. */
  readonly nowX: number | null;
}

export interface PictureOptions {
  readonly width: number;
  readonly now: number;
  /** Whether long idle gaps are narrow. */
  readonly squeeze: boolean;
  readonly deliveries: readonly ShownDelivery[];
  readonly phaseOf: (transition: EntityTransition) => Phase;
}

const [TALL, MIDDLE, LOW] = [36, 30, 28];
const LANE = 24;
/** Deliveries nearer than this to each other are one mark; marks nearer than this stand in two lanes. */
const [TOGETHER, APART] = [12, 26];

const timeOf = (text: string): number => new Date(text).getTime();

export function isWaiting({ state }: Pick<Timer, 'state'>): boolean {
  return state === 'armed' || state === 'asking';
}

/** Events, by the sender's id, that were received after one that tells of the same task, node or process at a later time. */
export function lateEvents({ history, events }: Pick<Entity, 'history' | 'events'>): ReadonlySet<string> {
  const received = new Map(events.map((event) => [event.eventId, event.receivedAt]));
  const known = history
    .flatMap((one) => {
      const receivedAt = received.get(one.eventId);
      return receivedAt === undefined ? [] : [{ ...one, receivedAt }];
    })
    .sort((a, b) => timeOf(a.receivedAt) - timeOf(b.receivedAt));
  const latest = new Map<string, number>();
  const late = new Set<string>();
  for (const { level, id, at, eventId } of known) {
    const of = `${level}:${id}`;
    const before = latest.get(of) ?? Number.NEGATIVE_INFINITY;
    if (timeOf(at) < before) late.add(eventId);
    latest.set(of, Math.max(before, timeOf(at)));
  }
  return late;
}

/** A process as a picture: where everything of it stands on one axis of time, row below row. */
export function pictureOf(entity: Entity, options: PictureOptions): Picture {
  const { now, width, squeeze, deliveries, phaseOf } = options;
  const isOpen =
    entity.endedAt === null &&
    (entity.timers.some(isWaiting) || entity.tasks.some(({ status }) => status.phase === 'open'));
  const scale = scaleOver(momentsOf(entity, deliveries, isOpen ? now : null), width, squeeze);
  const end = entity.endedAt === null ? now : timeOf(entity.endedAt);
  const late = lateEvents(entity);
  const rows: Row[] = [];
  let y = 0;
  const placed = (key: string, height: number): Place => {
    const place = { key, y, height };
    y += height;
    return place;
  };
  const statusesOf = (level: EntityTransition['level'], id: string | null, status: EntityStatus | null) => {
    const own = entity.history.filter((one) => one.level === level && (id === null || one.id === id));
    return {
      bars: barsOf(own, status, end, scale, phaseOf),
      marks: own.map((transition): Mark => ({
        x: scale.xOf(timeOf(transition.at)),
        transition,
        phase: phaseOf(transition),
        late: late.has(transition.eventId),
      })),
    };
  };

  const ofProcess = statusesOf('process', null, entity.status);
  if (ofProcess.bars.length > 0) rows.push({ kind: 'process', ...placed('process', TALL), ...ofProcess });
  const addTasks = (node: string | null): void => {
    for (const task of entity.tasks.filter((one) => one.node === node))
      rows.push({
        kind: 'task',
        task,
        ...placed(`task ${task.id}`, MIDDLE),
        ...statusesOf('task', task.id, task.status),
      });
  };
  for (const node of entity.nodes) {
    rows.push({
      kind: 'node',
      node,
      ...placed(`node ${node.id}`, TALL),
      ...statusesOf('node', node.id, node.status),
    });
    addTasks(node.id);
  }
  if (entity.tasks.some(({ node }) => node === null)) {
    if (entity.nodes.length > 0) rows.push({ kind: 'no node', ...placed('no node', LOW) });
    addTasks(null);
  }
  for (const timer of [...entity.timers].sort((a, b) => timeOf(a.baseTime) - timeOf(b.baseTime)))
    rows.push({
      kind: 'ladder',
      ...placed(`timer ${timer.id}`, LOW),
      ...ladderOf(timer, deliveries, scale, now),
    });
  const marks = deliveryMarks(deliveries, scale);
  if (marks.length > 0) {
    const lanes = Math.max(...marks.map(({ lane }) => lane)) + 1;
    rows.push({ kind: 'deliveries', ...placed('deliveries', lanes * LANE + 10), marks });
  }
  return { scale, rows, height: y, nowX: isOpen ? scale.xOf(now) : null };
}

/** All times at which something happened or will; the axis begins and ends with them. */
function momentsOf(
  { history, tasks, nodes, status, timers, endedAt }: Entity,
  deliveries: readonly ShownDelivery[],
  now: number | null,
): readonly number[] {
  const statuses = [status, ...nodes.map((one) => one.status), ...tasks.map((one) => one.status)];
  return [
    ...history.map(({ at }) => timeOf(at)),
    // Of those the change may be too long ago for the history.
    ...statuses.flatMap((one) => (one === null ? [] : timeOf(one.since))),
    ...timers.flatMap((timer) => [
      timeOf(timer.baseTime),
      timeOf(isWaiting(timer) ? timer.dueAt : timer.updatedAt),
    ]),
    ...deliveries.map(({ createdAt }) => timeOf(createdAt)),
    ...(endedAt === null ? [] : [timeOf(endedAt)]),
    ...(now === null ? [] : [now]),
  ];
}

/** One bar from each change to the next one; a status that is told again goes on. */
function barsOf(
  history: readonly EntityTransition[],
  status: EntityStatus | null,
  end: number,
  scale: Scale,
  phaseOf: (transition: EntityTransition) => Phase,
): readonly Bar[] {
  const changes = history
    .filter(({ to }, at) => history[at - 1]?.to !== to)
    .map((one) => ({ from: timeOf(one.at), phase: phaseOf(one), value: one.to, label: one.toLabel }));
  if (changes.length === 0 && status !== null)
    changes.push({
      from: timeOf(status.since),
      phase: status.phase,
      value: status.value,
      label: status.label,
    });
  return changes.map((change, at): Bar => {
    const next = changes[at + 1];
    const to = next?.from ?? Math.max(end, change.from);
    return { ...change, to: next ? to : null, x0: scale.xOf(change.from), x1: scale.xOf(to) };
  });
}

/** A ladder from when its steps began to count. */
function ladderOf(timer: Timer, deliveries: readonly ShownDelivery[], scale: Scale, now: number) {
  const base = timeOf(timer.baseTime);
  const waits = isWaiting(timer);
  const steps = new Map<string, StepMark>();
  for (const { eventId, occasion, createdAt } of deliveries) {
    const step = timer.sent.find((one) => occasion === `step:${timer.rule}:${one}`);
    if (step === undefined || eventId !== timer.eventId || steps.has(step)) continue;
    steps.set(step, { step, at: timeOf(createdAt), x: scale.xOf(timeOf(createdAt)) });
  }
  return {
    timer,
    x0: scale.xOf(base),
    x1: scale.xOf(waits ? Math.max(now, base) : Math.max(timeOf(timer.updatedAt), base)),
    dueX: waits ? scale.xOf(timeOf(timer.dueAt)) : null,
    steps: [...steps.values()],
  };
}

function deliveryMarks(deliveries: readonly ShownDelivery[], scale: Scale): readonly DeliveryMark[] {
  const groups: { x: number; state: ShownDelivery['state']; deliveries: ShownDelivery[] }[] = [];
  for (const delivery of [...deliveries].sort((a, b) => timeOf(a.createdAt) - timeOf(b.createdAt))) {
    const x = scale.xOf(timeOf(delivery.createdAt));
    const near = groups.find((one) => one.state === delivery.state && x - one.x <= TOGETHER);
    if (near) near.deliveries.push(delivery);
    else groups.push({ x, state: delivery.state, deliveries: [delivery] });
  }
  /** Where each lane is free again. */
  const lanes: number[] = [];
  return groups.map((group): DeliveryMark => {
    const free = lanes.findIndex((x) => group.x - x >= APART);
    const lane = free < 0 ? lanes.length : free;
    lanes[lane] = group.x;
    return { ...group, lane };
  });
}
