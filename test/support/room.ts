import type { Chromium } from './chromium.js';
import type { Stage } from './stage.js';

/** What all chapters of the tests in a browser share: starting each costs seconds. */
export interface Room {
  readonly stage: Stage;
  readonly chromium: Chromium;
}
