import type { Clock } from '../config/clock.js';
import { type Log, messageOf } from '../config/log.js';
import type { Wakeup } from '../queue/wakeup.js';
import { WorkerLoop } from '../queue/worker-loop.js';
import { type CalendarEnd, calendarEnds, calendarsInUse } from './calendar/calendar-use.js';
import type { WorkCalendar } from './calendar/work-calendar.js';
import { zoneClock } from './calendar/zone-clock.js';
import type { RuleSet } from './rule-set.js';
import type { RuleSetStore } from './rule-set-store.js';

const QUEUE = 'calendars';
const POLL_MS = 10_000;

/** What is known of the work calendars by which the live rules count. */
export interface KnownCalendars {
  /** Of those whose days are known until some day. */
  readonly ends: readonly CalendarEnd[];
  /** DEFAULT_CALENDAR, when the live rule set has no such calendar. */
  readonly missing: string | null;
}

/** Tells before the days of a work calendar end: in the log, at each activation and once a day. */
export class CalendarWatch {
  private readonly loop: WorkerLoop;
  /** The rule set and the day of which people were told last. */
  private told = '';
  private used: { readonly ruleSet: RuleSet; readonly calendars: readonly WorkCalendar[] } | null = null;

  constructor(
    private readonly ruleSets: Pick<RuleSetStore, 'current'>,
    private readonly options: {
      /** Of those who name none. */
      readonly timezone: string;
      readonly calendar?: string | undefined;
      readonly wakeup: Wakeup;
      readonly clock: Clock;
      readonly log: Log;
    },
  ) {
    this.loop = new WorkerLoop({
      queue: QUEUE,
      wakeup: options.wakeup,
      pollMs: POLL_MS,
      work: () => this.look(),
      failed: (error) => {
        options.log.debug({ event: 'calendars.not-read' }, messageOf(error));
      },
    });
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  /** Of a rule set, as it is now. */
  known(ruleSet: RuleSet): KnownCalendars {
    const { timezone, calendar: defaultCalendar = null, clock } = this.options;
    // Asked for at each look at health and metrics, and there may be ten thousand rules.
    if (this.used?.ruleSet !== ruleSet)
      this.used = { ruleSet, calendars: calendarsInUse(ruleSet, defaultCalendar) };
    return {
      ends: calendarEnds(this.used.calendars, clock.now(), timezone),
      missing: defaultCalendar === null || ruleSet.calendars.has(defaultCalendar) ? null : defaultCalendar,
    };
  }

  /** Looks at the live rule set once. For tests; `start` does it again and again. */
  async look(): Promise<0> {
    const ruleSet = await this.ruleSets.current();
    if (!ruleSet) return 0;
    const { timezone, clock } = this.options;
    const occasion = `${ruleSet.hash} ${zoneClock(timezone).dayOf(clock.now())}`;
    if (occasion === this.told) return 0;
    this.told = occasion;
    this.tell(this.known(ruleSet));
    return 0;
  }

  private tell({ ends, missing }: KnownCalendars): void {
    const { log } = this.options;
    if (missing !== null) {
      log.warn(
        { event: 'calendar.missing', calendar: missing },
        `DEFAULT_CALENDAR is "${missing}", and neither the rules folder nor Aftersign has a work calendar of that name`,
      );
    }
    for (const { name, until, daysLeft, near } of ends) {
      if (!near) continue;
      const fields = { calendar: name, until, daysLeft };
      if (daysLeft < 0) {
        log.warn(
          { event: 'calendar.ended', ...fields },
          `the days of the work calendar "${name}" were known until ${until}: only the days of the week count now, no holidays (docs/calendars.md)`,
        );
      } else {
        log.warn(
          { event: 'calendar.ending', ...fields },
          `the days of the work calendar "${name}" are known until ${until}, in ${daysLeft} ${daysLeft === 1 ? 'day' : 'days'}: add the next ones (docs/calendars.md)`,
        );
      }
    }
  }
}
