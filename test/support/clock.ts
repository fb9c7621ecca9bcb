import { Clock } from '../../src/config/clock.js';

/** A clock that stands still until it is told to go on. */
export class TestClock extends Clock {
  constructor(private time: number = Date.UTC(2026, 10, 2, 9)) {
    super();
  }

  now(): number {
    return this.time;
  }

  advance(ms: number): void {
    this.time += ms;
  }
}
