/** Rule tests as a `*.cases.json` holds them, once their form is checked. Plain JSON. */
export interface CaseFileDocument {
  /** Which rules are watched; absent: those of the rule file of the same name beside it, else all. */
  readonly rules?: readonly string[];
  /** Where the virtual clock starts: a date-time with its zone; absent: 2026-01-05T09:00:00+08:00, a Monday. */
  readonly now?: string;
  /** Instead of `DEFAULT_TIMEZONE` and `DEFAULT_CALENDAR`, so that a test does not depend on where it runs. */
  readonly timezone?: string;
  readonly calendar?: string;
  readonly cases: readonly CaseDocument[];
}

export interface CaseDocument {
  /** Unique in its file. */
  readonly name: string;
  /** As in the file, for this case alone. */
  readonly rules?: readonly string[];
  readonly now?: string;
  readonly steps: readonly StepDocument[];
  /** Everything that the watched rules send, and nothing else; absent only beside verdicts: then it is not looked at. */
  readonly expect?: readonly ExpectedDelivery[];
  /** Of the last event that the rule listens to. */
  readonly verdicts?: Readonly<Record<string, ExpectedVerdict>>;
}

export type StepDocument = EventStep | AdvanceStep | LookupStep;

export interface EventStep {
  /**
   * A whole event as its sender writes it, or some fields that differ from the catalogue's sample; `header` beside
   * `event` in it, each in part or whole, also works. Of a header in part, `create_time` may also be a date-time or
   * how long ago: `-10m`. Absent are an id that counts the events of the case, and now.
   */
  readonly event: Readonly<Record<string, unknown>>;
  /** The event type of one in part; absent: the one that the watched rules listen to. */
  readonly type?: string;
  /** Of this event. */
  readonly verdicts?: Readonly<Record<string, ExpectedVerdict>>;
}

export interface AdvanceStep {
  /** A duration of the wall calendar, or a date-time with its zone that is not past. All that is due until then happens. */
  readonly advance: string;
}

export interface LookupStep {
  /**
   * What look-ups answer from here on, by name and as rules read it; `null`: they fail. A look-up that is not named has
   * failed too. `confirm`: what the platform says before a step of an escalation that asks whether somebody is still
   * waited for: true (until it is said otherwise), false, the detail of the process, or null: it cannot be asked.
   */
  readonly lookup: Readonly<Record<string, unknown>>;
}

export interface ExpectedDelivery {
  readonly rule: string;
  readonly action: string;
  /** Of an escalation; absent: it is not looked at. */
  readonly step?: string;
  /** When it goes out: a duration since the start of the case, or a date-time with its zone. */
  readonly at?: string;
  /** Of the rendered request, as `rules try` shows it: what is named here is there; lists as a whole. */
  readonly with?: unknown;
  /** Absent: `sent`. */
  readonly state?: DeliveryOutcome;
  /** Why it is dead. */
  readonly code?: string;
}

/** `sent`: nothing stands in its way; `held`: by a brake; `dead`: it could not be rendered. */
export type DeliveryOutcome = 'sent' | 'held' | 'dead';

export type VerdictWord = 'matched' | 'not matched' | 'unknown' | 'error' | 'skipped';

export type ExpectedVerdict =
  | VerdictWord
  | {
      readonly verdict: VerdictWord;
      /** The facts that are missing, all of them in any order. */
      readonly missing?: readonly string[];
      /** Why it is skipped. */
      readonly cause?: string;
      /** A part of the error. */
      readonly error?: string;
      /** The conditions that keep it from matching, by the facts they read, all of them in any order. */
      readonly because?: readonly string[];
      /** Why actions were not sent, by their names: `once-per`, `throttle`, … */
      readonly suppressed?: Readonly<Record<string, string>>;
    };
