import { messageOf } from '../config/log.js';
import type { StoredEvent } from '../events/event-store.js';
import type { Subject } from './decide.js';
import type { LadderBook } from './ladder-book.js';
import type { RuleSet } from './rule-set.js';
import { placeOf } from './state/observe.js';
import type { EventPlace } from './state/root-state.js';
import { subjectOf } from './subject.js';
import { laddersTouchedBy } from './timer-store.js';
import { scopesTouchedBy, type Unsettled } from './unsettled-store.js';

/** An event as it is decided, and whom it is about. */
export interface ReadSubject {
  readonly subject: Subject;
  readonly place: EventPlace;
}

/** Events before they are decided, and what has to be read of the database for them, by root entity. */
export interface ReadEvents {
  /** By stored id; a text: why it cannot be read. */
  readonly subjects: ReadonlyMap<string, ReadSubject | string>;
  readonly tasks: ReadonlyMap<string, Set<string>>;
  readonly ladders: ReadonlyMap<string, Set<string> | 'all'>;
  readonly scopes: ReadonlyMap<string, Set<string> | 'all'>;
}

export function readEvents(events: readonly StoredEvent[], { catalogue }: RuleSet): ReadEvents {
  const subjects = new Map<string, ReadSubject | string>();
  const tasks = new Map<string, Set<string>>();
  const ladders = new Map<string, Set<string> | 'all'>();
  const scopes = new Map<string, Set<string> | 'all'>();
  for (const event of events) {
    try {
      const subject = subjectOf(event);
      const place = placeOf(catalogue, event.eventType, subject.facts);
      subjects.set(event.id, { subject, place });
      const { rootEntity } = event;
      if (rootEntity === null) continue;
      add(tasks, rootEntity, place.task === null ? [] : [place.task]);
      add(ladders, rootEntity, laddersTouchedBy(place));
      add(scopes, rootEntity, scopesTouchedBy(place));
    } catch (error) {
      subjects.set(event.id, messageOf(error));
    }
  }
  return { subjects, tasks, ladders, scopes };
}

/**
 * Root entities of which more tasks have to be read than the events name, with all that are wanted of them: those of
 * ladders that an event of their node may end, and of open verdicts.
 */
export function tasksWanted(
  { tasks }: ReadEvents,
  book: LadderBook,
  unsettled: readonly Unsettled[],
): ReadonlyMap<string, ReadonlySet<string>> {
  const more = new Map<string, ReadonlySet<string>>();
  const want = (entity: string, task: string): void => {
    const wanted = tasks.get(entity);
    if (!wanted || wanted.has(task)) return;
    wanted.add(task);
    more.set(entity, wanted);
  };
  for (const entity of tasks.keys())
    for (const { per, subject } of book.of(entity))
      if (per === 'task') want(entity, subject.slice('task:'.length));
  for (const { entity, situation } of unsettled)
    if (situation.place.task !== null) want(entity, situation.place.task);
  return more;
}

function add(
  to: Map<string, Set<string>> | Map<string, Set<string> | 'all'>,
  entity: string,
  what: readonly string[] | 'all',
): void {
  const known = to.get(entity);
  if (known === 'all') return;
  if (what === 'all') (to as Map<string, Set<string> | 'all'>).set(entity, 'all');
  else if (known) for (const one of what) known.add(one);
  else to.set(entity, new Set(what));
}
