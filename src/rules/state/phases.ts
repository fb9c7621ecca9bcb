import type { EntityState, Phase, RootState } from './root-state.js';

/** The phase that an entity is in now; null: no status of it was seen. */
export function phaseOf(entity: EntityState | null | undefined): Phase | null {
  return entity?.seen.at(-1)?.[4] ?? null;
}

/** Whether nobody is waited for any more; of a status that is not known it cannot be told. */
export function isTerminal(phase: Phase | null): boolean {
  return phase !== null && phase !== 'open' && phase !== 'unknown';
}

/** Whether the root entity is in a terminal status. */
export function hasEnded({ process }: RootState): boolean {
  return isTerminal(phaseOf(process));
}
