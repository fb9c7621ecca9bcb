import type { TriedEvent, WantedEvents } from './tried-event.js';

/** Something that is found out about rules, perhaps from stored events that are handed over bit by bit. */
export interface Run<Answer> {
  /** Null: no events are needed. */
  readonly wants: WantedEvents | null;
  /** The latest first. `left`: so many more were met that cannot be judged. */
  take(events: readonly TriedEvent[], left: number): Promise<void>;
  answer(): Answer;
}
