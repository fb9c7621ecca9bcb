import type { DataSource } from 'typeorm';
import type { Clock } from '../../config/clock.js';
import type { Catalogue } from '../../events/catalogue.js';
import type { EventStore } from '../../events/event-store.js';
import type { EvaluationStore } from '../evaluation-store.js';
import type { RuleSet } from '../rule-set.js';
import type { RuleSetStore } from '../rule-set-store.js';
import { runOrder } from '../trial/run-order.js';
import { storedRuleFiles } from '../trial/read-rule-files.js';
import type { FindingStore } from './finding-store.js';
import { RADAR_KINDS, type RadarFinding } from './finding.js';
import {
  aboutOf,
  type AskedBefore,
  DELIVERED_WITHIN_MS,
  GRACE_MS,
  type LostScan,
  type Suspect,
} from './lost-scan.js';
import { type Hours, RadarHours } from './radar-hours.js';
import { SampleEvents } from './sample-events.js';
import { isWatched, silenceOf, together } from './silent-rules.js';

const DAY_MS = 86_400_000;
/** So far back the events lie that are looked at. */
export const WINDOW_MS = 30 * DAY_MS;
const WITHIN_MS = 120_000;
/** Judgements of rules by one round: with thousands of rules, fewer events. */
const MOST_JUDGED = 1_000_000;
/** What was touched before this was looked at by an earlier round. */
const LOOK_BACK_MS = 2 * DAY_MS;
/** While the platform can be asked, nothing is said of a loss that nobody has asked about yet; so long at most. */
const ASKED_WITHIN_MS = 2 * DAY_MS;

export interface RadarOptions {
  readonly clock: Clock;
  readonly timezone: string;
  /** Whether somebody asks the platform about suspects before they are told. */
  readonly asks: boolean;
}

/** What one look comes to. */
export interface Computed {
  readonly findings: readonly RadarFinding[];
  /** Stored events that were looked at. */
  readonly looked: number;
  /** Root entities that the platform may be asked about. */
  readonly suspects: readonly Suspect[];
}

/**
 * Finds what nobody would miss until it is too late: events that no rule reads, rules that stopped or never fire, events
 * that were lost. Over stored events, and not over verdicts: the index of the rules passes by those whose indexed condition
 * has a typo.
 */
export class Radar {
  readonly hours: RadarHours;
  private readonly sample: SampleEvents;

  constructor(
    private readonly dataSource: DataSource,
    private readonly stores: {
      readonly events: EventStore;
      readonly evaluations: EvaluationStore;
      readonly ruleSets: RuleSetStore;
      readonly findings: FindingStore;
      readonly scan: LostScan;
    },
    private readonly builtIn: Catalogue,
    private readonly options: RadarOptions,
  ) {
    this.hours = new RadarHours(dataSource);
    this.sample = new SampleEvents(dataSource, stores);
  }

  /**
   * Looks, and keeps what it finds. `windowMs`: how far back the events lie; `graceMs`: how long a process must have been left
   * alone. Null: no rule set is live.
   */
  async compute({
    windowMs = WINDOW_MS,
    graceMs = GRACE_MS,
  }: { readonly windowMs?: number; readonly graceMs?: number } = {}): Promise<Computed | null> {
    const ruleSet = await this.stores.ruleSets.current();
    if (!ruleSet) return null;
    const now = this.options.clock.now();
    await this.hours.count(now);
    const hours = await this.hours.all();
    const seen = await this.look(ruleSet, now, windowMs);
    const fired = (rule: string): Hours => hours.get(`rule:${rule}`) ?? [];
    const lost = await this.lost(ruleSet.catalogue, now, graceMs);
    const findings = [
      // What has fired at any time says a value that may be rare.
      ...seen.findings.filter(
        ({ kind, rules }) => kind !== 'failing-condition' || rules.every((rule) => fired(rule).length === 0),
      ),
      ...this.silent(ruleSet, hours, now),
      ...(lost?.findings ?? []),
    ];
    // Of what could not be looked at, nothing is said to be gone.
    const kinds = RADAR_KINDS.filter((kind) => kind !== 'lost-events' || lost !== null);
    await this.stores.findings.put(findings, kinds, { now, looked: seen.looked });
    return { findings, looked: seen.looked, suspects: lost?.suspects ?? [] };
  }

  private async look(
    ruleSet: RuleSet,
    now: number,
    windowMs: number,
  ): Promise<{ readonly findings: readonly RadarFinding[]; readonly looked: number }> {
    const stored = await storedRuleFiles(this.dataSource, ruleSet.hash, this.builtIn);
    const types = ruleSet.catalogue.entries
      .map(({ eventType }) => eventType)
      .filter((eventType) => ruleSet.rules.some((rule) => rule.listensTo(eventType)));
    const most = Math.max(100, Math.min(2000, Math.floor(MOST_JUDGED / Math.max(1, ruleSet.rules.length))));
    const ids = await this.sample.latest(now - windowMs, types, most);
    const { timezone } = this.options;
    return await runOrder({ kind: 'radar', stored, now, timezone }, () => this.sample.read(ids), {
      withinMs: WITHIN_MS,
    });
  }

  private silent(ruleSet: RuleSet, hours: ReadonlyMap<string, Hours>, now: number): RadarFinding[] {
    const types = [...hours].flatMap(([what, counts]) =>
      what.startsWith('type:') ? [[what.slice('type:'.length), counts] as const] : [],
    );
    return ruleSet.rules.flatMap((rule) => {
      const fired = hours.get(`rule:${rule.name}`);
      if (!fired || !isWatched(rule, now, this.options.timezone)) return [];
      const events = together(types.filter(([type]) => rule.listensTo(type)).map(([, counts]) => counts));
      return silenceOf(rule.name, fired, events, now) ?? [];
    });
  }

  /** Null: too much waits for its decision to tell. */
  private async lost(
    catalogue: Catalogue,
    now: number,
    graceMs: number,
  ): Promise<{ readonly findings: readonly RadarFinding[]; readonly suspects: readonly Suspect[] } | null> {
    const { scan, findings } = this.stores;
    const { computedAt } = await findings.progress();
    const standing = await findings.list(['open', 'dismissed'], 'lost-events');
    const suspects = await scan.suspects(catalogue, {
      since: computedAt === null ? now - WINDOW_MS : computedAt.getTime() - LOOK_BACK_MS,
      now,
      graceMs,
      also: standing.map(({ subject }) => subject),
    });
    if (suspects === 'behind') return null;
    const asked = await scan.asked(suspects.map(({ entity }) => entity));
    const currentOf = (suspect: Suspect): AskedBefore | null => {
      const before = asked.get(suspect.entity);
      return before?.about === aboutOf(suspect) ? before : null;
    };
    const found = suspects.flatMap((suspect) => {
      const before = currentOf(suspect);
      return this.isFound(suspect, before, now, graceMs) ? [findingOf(suspect, before)] : [];
    });
    const open = suspects.filter((suspect) => {
      const before = currentOf(suspect);
      return before === null || isDueAgain(before, now);
    });
    return { findings: found, suspects: open };
  }

  /** What the platform agrees with is no loss; and what it may still deliver, or be asked about, is none yet. */
  private isFound(
    { lastAt, updatedAt }: Suspect,
    asked: AskedBefore | null,
    now: number,
    graceMs: number,
  ): boolean {
    if (asked?.outcome === 'agrees') return false;
    if (graceMs > 0 && now - lastAt < DELIVERED_WITHIN_MS) return false;
    return asked !== null || !this.options.asks || now - updatedAt >= ASKED_WITHIN_MS;
  }
}

const AGAIN_MS = 6 * 3_600_000;

/** Who did not get an answer, or not the whole of it, asks again later, each time much later. */
export function isDueAgain({ outcome, askedAt, times }: AskedBefore, now: number): boolean {
  return outcome !== 'agrees' && now - askedAt.getTime() >= AGAIN_MS * 2 ** Math.min(times - 1, 6);
}

function findingOf(
  { entity, signs, lastAt, lastEvent, lastType }: Suspect,
  asked: AskedBefore | null,
): RadarFinding {
  return {
    kind: 'lost-events',
    subject: entity,
    rules: [],
    count: signs.length,
    detail: {
      entity,
      signs,
      lastEventType: lastType,
      lastEventAt: new Date(lastAt).toISOString(),
      eventId: lastEvent,
      asked: asked && {
        at: asked.askedAt.toISOString(),
        outcome: asked.outcome,
        detail: asked.detail,
      },
    },
  };
}
