import type { HolderEvent } from '../due-step.js';
import type { LookupAnswer, LookupAnswers } from '../lookup-document.js';
import type { RuleSet } from '../rule-set.js';
import type { Asking, VirtualAnswers } from '../cases/answers-given.js';
import type { Level } from '../state/root-state.js';
import type { RecordedStep } from './recorded-event.js';

/** So many answers are remembered for other events. */
const MOST_REMEMBERED = 20_000;

interface Recorded {
  readonly lookups: LookupAnswers;
  readonly steps: readonly RecordedStep[];
}

/** What look-ups have answered in truth, by the events that they answered for. */
export class AnswerRecords {
  /** Of the events that are being decided. */
  private current = new Map<string, Recorded>();
  /** Of events that may have armed a ladder. */
  private readonly steps = new Map<string, Recorded>();
  /** By look-up and request, the latest. */
  private readonly remembered = new Map<string, LookupAnswer>();

  /** Takes in what is recorded for the events that are decided next; by the ids that the room knows them by. */
  begin(events: ReadonlyMap<string, Recorded>): void {
    this.current = new Map(events);
    for (const [id, recorded] of events) {
      if (recorded.steps.length > 0) this.steps.set(id, recorded);
      for (const [name, answer] of Object.entries(recorded.lookups)) this.remember(name, answer);
      for (const { lookups = {} } of recorded.steps)
        for (const [name, answer] of Object.entries(lookups)) this.remember(name, answer);
    }
  }

  of(id: string): Recorded | undefined {
    return this.current.get(id) ?? this.steps.get(id);
  }

  /** What another event was answered to the same request within `cacheMs` before `now` (ms); null: nothing. */
  again(name: string, request: string, now: number, cacheMs: number): LookupAnswer | null {
    const known = this.remembered.get(keyOf(name, request));
    return known && known.fetchedAt <= now && now - known.fetchedAt <= cacheMs ? known : null;
  }

  private remember(name: string, answer: LookupAnswer): void {
    if (answer.request === '') return;
    const key = keyOf(name, answer.request);
    this.remembered.delete(key);
    this.remembered.set(key, answer);
    if (this.remembered.size <= MOST_REMEMBERED) return;
    const [oldest] = this.remembered.keys();
    if (oldest !== undefined) this.remembered.delete(oldest);
  }
}

/** Whoever wants to know that something was asked that nobody had recorded. */
export type Unrecorded = (lookup: string, asking: Asking, now: number) => void;

/** How the unanswered question before a step is called: no look-up has such a name. */
export const CONFIRMATION = '(confirm)';

/** Answers one rule set by what is recorded. Nobody is asked. */
export class RecordedAnswers implements VirtualAnswers {
  /** Look-ups that ask as another set does and make something else of the answer. */
  private readonly otherwise: ReadonlySet<string>;

  /** `against`: the other set, when the answers are its own. */
  constructor(
    private readonly records: AnswerRecords,
    private readonly ruleSet: RuleSet,
    against: RuleSet | null,
    private readonly unrecorded: Unrecorded,
  ) {
    const differs = (name: string): boolean => {
      const other = against?.lookups.get(name);
      const own = ruleSet.lookups.get(name);
      return other !== undefined && JSON.stringify(other.document) !== JSON.stringify(own?.document);
    };
    this.otherwise = new Set([...ruleSet.lookups.keys()].filter(differs));
  }

  lookup(name: string, request: string, now: number, asking: Asking): LookupAnswer | null {
    const answer = this.otherwise.has(name) ? null : this.find(name, request, now, asking);
    if (!answer) this.unrecorded(name, asking, now);
    return answer;
  }

  pending(_per: Level, _holder: HolderEvent, asking: Asking, now: number): boolean | null {
    const { eventId, step } = asking;
    const said = this.records
      .of(eventId)
      ?.steps.filter((one) => isOf(one, step) && one.pending !== null)
      .sort((a, b) => a.at - b.at);
    // Nobody is waited for any more from when the platform said so; until then, and before, somebody was.
    const before = said?.findLast(({ at }) => at <= now) ?? said?.find(({ pending }) => pending === true);
    if (before) return before.pending;
    this.unrecorded(CONFIRMATION, asking, now);
    return null;
  }

  private find(name: string, request: string, now: number, { eventId, step }: Asking): LookupAnswer | null {
    const own = this.records.of(eventId);
    const fits = (answers: LookupAnswers | undefined): LookupAnswer | null => {
      const answer = answers && Object.hasOwn(answers, name) ? answers[name] : undefined;
      return answer?.request === request ? answer : null;
    };
    if (step) {
      for (const one of own?.steps ?? []) {
        // Whom the step was for says the request.
        const answer = one.rule === step.rule ? fits(one.lookups) : null;
        if (answer) return answer;
      }
    }
    const document = this.ruleSet.lookups.get(name)?.document;
    const cacheMs = document && 'cache' in document ? document.cache : 0;
    return fits(own?.lookups) ?? this.records.again(name, request, now, cacheMs);
  }
}

function isOf(one: RecordedStep, step: Asking['step']): boolean {
  return step !== null && one.rule === step.rule && (one.subject === null || one.subject === step.subject);
}

function keyOf(name: string, request: string): string {
  return JSON.stringify([name, request]);
}
