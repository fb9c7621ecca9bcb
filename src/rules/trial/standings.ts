import type { JudgedRule } from './judged-event.js';

/** How often a rule stood how; a near miss is not counted as "not matched" once more. */
export interface Standings {
  matched: number;
  nearMiss: number;
  notMatched: number;
  unknown: number;
  error: number;
  skipped: number;
}

export function noStandings(): Standings {
  return { matched: 0, nearMiss: 0, notMatched: 0, unknown: 0, error: 0, skipped: 0 };
}

export function standingOf({
  verdict: { verdict },
  nearMiss,
}: Pick<JudgedRule, 'verdict' | 'nearMiss'>): keyof Standings {
  if (verdict === 'not matched') return nearMiss ? 'nearMiss' : 'notMatched';
  return verdict;
}
