/** How much of a long proof is run: a fifth in the tests, all of it with `npm run proof`. */
export const PROOF_SHARE = Number(process.env['PROOF_SHARE'] ?? 0.2);

/** As many runs of it. */
export function shareOf(runs: number): number {
  return Math.ceil(runs * PROOF_SHARE);
}
