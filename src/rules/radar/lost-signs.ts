import type { Catalogue } from '../../events/catalogue.js';
import { isTerminal, phaseOf } from '../state/phases.js';
import type { EntityState, Phase, RootState } from '../state/root-state.js';

/**
 * By what a loss shows: `never-begun`, a task whose first status is none that tasks begin with; `never-ended`, a task that
 * is still to do although its process, or its node, has ended; `no-tasks`, a node that was decided and of which no task
 * was ever seen.
 */
export const SIGN_KINDS = ['never-begun', 'never-ended', 'no-tasks'] as const;
export type SignKind = (typeof SIGN_KINDS)[number];

/** One sign that an event of a root entity was lost. Plain JSON. */
export interface Sign {
  readonly sign: SignKind;
  /** `task:<id>` or `node:<id>`. */
  readonly of: string;
  /** The status that was seen of it last. */
  readonly status: string | number;
}

/** Of one root entity so many are told: there may be thousands of tasks. */
const MOST_SIGNS = 50;

/**
 * What in the state of a root entity cannot be unless events were lost, as far as the catalogue says what must have been.
 * Pure. `state`: with all its tasks.
 */
export function signsOf(state: RootState, catalogue: Catalogue): readonly Sign[] {
  const signs: Sign[] = [];
  const processPhase = phaseOf(state.process);
  for (const [task, entity] of Object.entries(state.tasks)) {
    if (signs.length >= MOST_SIGNS) return signs;
    const status = entity.seen.at(-1)?.[3];
    if (status === undefined) continue;
    if (!hasBegun(entity, catalogue)) signs.push({ sign: 'never-begun', of: `task:${task}`, status });
    if (phaseOf(entity) !== 'open') continue;
    const node = entity.node === null ? undefined : state.nodes[entity.node];
    if (isOver(state.process, entity) || isOver(node, entity))
      signs.push({ sign: 'never-ended', of: `task:${task}`, status });
  }
  for (const [node, entity] of Object.entries(state.nodes)) {
    if (signs.length >= MOST_SIGNS) return signs;
    const status = entity.seen.at(-1)?.[3];
    if (status === undefined || !isDecided(phaseOf(entity))) continue;
    if (!Object.hasOwn(state.tally.nodes, node) && !isCancelled(processPhase))
      signs.push({ sign: 'no-tasks', of: `node:${node}`, status });
  }
  return signs;
}

/** Of a type of which it is not known how its entities begin, each has. */
function hasBegun({ seen, latestType }: EntityState, catalogue: Catalogue): boolean {
  const begins = catalogue.find(latestType)?.status?.begins;
  const first = seen[0];
  return begins === undefined || first === undefined || begins.includes(first[3]);
}

/** Whether what a task is a part of has ended, and not before the task was opened: it may have been opened again. */
function isOver(whole: EntityState | null | undefined, task: EntityState): boolean {
  const [end, last] = [whole?.seen.at(-1), task.seen.at(-1)];
  return isTerminal(phaseOf(whole)) && end !== undefined && last !== undefined && end[0] >= last[0];
}

/** Somebody has decided: what ended in another way may have had nobody. */
function isDecided(phase: Phase | null): boolean {
  return phase === 'done' || phase === 'rejected';
}

function isCancelled(phase: Phase | null): boolean {
  return phase === 'cancelled';
}
