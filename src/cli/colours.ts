import picocolors from 'picocolors';

/** Colours for standard output: on a terminal only, unless they are forced. NO_COLOR turns them off. */
export const inColour: boolean =
  picocolors.isColorSupported && (process.stdout.isTTY || process.env['FORCE_COLOR'] !== undefined);

export const pc = picocolors.createColors(inColour);

/** As `pc` is, or without any colour. */
export type Colours = typeof pc;

export const NO_COLOURS: Colours = picocolors.createColors(false);
