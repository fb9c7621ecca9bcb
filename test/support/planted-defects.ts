import { ALWAYS_KINDS, NEVER_KINDS } from './condition-defects.js';
import type { DefectKind } from './defect-parts.js';
import { MEANING_KINDS } from './meaning-defects.js';
import { PAIR_KINDS } from './pair-defects.js';
import { SLIP_KINDS } from './slip-defects.js';

/** Mistakes that can be decided, of the check and of the analysis. */
export const DEFECT_KINDS: readonly DefectKind[] = [
  ...NEVER_KINDS,
  ...ALWAYS_KINDS,
  ...PAIR_KINDS,
  ...MEANING_KINDS,
  ...SLIP_KINDS,
];
