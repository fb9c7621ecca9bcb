import type { DataSource } from 'typeorm';
import type { Actor } from '../../config/access.js';
import type { Clock } from '../../config/clock.js';
import { Refusal } from '../../config/problem.js';
import { within } from '../../config/within.js';
import type { LiveCatalogue } from '../../events/live-catalogue.js';
import type { Finding } from '../../rules/finding.js';
import type { RuleSet } from '../../rules/rule-set.js';
import type { ActivationRow, RuleSetStore } from '../../rules/rule-set-store.js';
import type { DepthGauge, Depths } from '../health/depths.js';
import { LiveDrift } from '../read/live-drift.js';
import { MinuteCounts } from '../read/minute-counts.js';
import { NextList, type NextRow } from '../read/next-list.js';
import { countTrouble } from '../read/trouble-counts.js';
import { type Overview, OVERVIEW_NEXT } from './overview.schema.js';
import { maskEntity, readsPersonal } from './personal.js';
import { isoOf } from './schema-parts.js';

/** However many look at it, it is counted once in this time. */
const FRESH_MS = 3000;
/** When all else is counted. What takes longer, after a start, is told with one of the next answers. */
const DAY_WITHIN_MS = 100;
const RULES_WITHIN_MS = 100;

/** How things stand, at a glance: counted for all who ask at the same time together. */
export class OverviewService {
  private readonly minutes: MinuteCounts;
  private readonly next: NextList;
  private readonly drift: LiveDrift;
  private last: { readonly overview: Overview; readonly at: number } | null = null;
  private counting: Promise<Overview> | null = null;

  constructor(
    private readonly dataSource: DataSource,
    private readonly parts: {
      readonly clock: Clock;
      readonly catalogue: LiveCatalogue;
      readonly ruleSets: RuleSetStore;
      readonly depths: Pick<DepthGauge, 'now' | 'known'>;
      /** Of the rule files, as this process sees them; null: it does not read them. */
      readonly findings: () => readonly Finding[] | null;
    },
  ) {
    this.minutes = new MinuteCounts(dataSource);
    this.next = new NextList(dataSource);
    this.drift = new LiveDrift(dataSource, parts.catalogue, parts.clock);
  }

  /** @throws Refusal 503 OVERVIEW_LATE */
  async show(actor: Actor): Promise<Overview> {
    const overview = await this.recent();
    if (readsPersonal(actor)) return overview;
    const catalogue = this.parts.catalogue.current;
    return {
      ...overview,
      next: overview.next.map((one) => ({
        ...one,
        entity: one.entity === null ? null : maskEntity(one.entity, catalogue),
      })),
    };
  }

  private async recent(): Promise<Overview> {
    const age = this.last ? this.parts.clock.now() - this.last.at : Infinity;
    if (this.last && age >= 0 && age < FRESH_MS) return this.last.overview;
    this.counting ??= this.count().finally(() => {
      this.counting = null;
    });
    return await this.counting;
  }

  private async count(): Promise<Overview> {
    const { clock } = this.parts;
    const at = clock.now();
    // A process that decides nothing compiles them for the first who asks; what cannot be read is told elsewhere.
    const compiled = this.parts.ruleSets.current().catch(() => null);
    const [minutes, depth, trouble, next, drift, live] = await Promise.all([
      this.minutes.lastHour(at),
      this.depths(),
      countTrouble(this.dataSource, at),
      this.next.list(at, OVERVIEW_NEXT),
      this.drift.rows(),
      this.parts.ruleSets.history(1, null),
    ]);
    if (!depth)
      throw new Refusal(
        503,
        'OVERVIEW_LATE',
        'The database takes too long to count: try again in a moment.',
        {
          headers: { 'retry-after': '5' },
        },
      );
    const [day, rules] = await Promise.all([this.day(at), within(compiled, RULES_WITHIN_MS, null)]);
    const { deliveries, quarantined, unsettled, targets } = depth;
    const overview: Overview = {
      at: new Date(at).toISOString(),
      minutes: minutes.map((row) => ({ ...row, at: new Date(row.at).toISOString() })),
      lastDay: day,
      states: { ...deliveries, delivered: day?.delivered ?? null, cancelled: trouble.cancelled },
      needsPerson: {
        dead: deliveries.dead,
        held: deliveries.held,
        quarantined,
        unknown: unsettled.expired,
        errors: trouble.errors,
        findings: this.findings(),
        failingTargets: targets.open + targets['half-open'],
        untold: trouble.untold,
        drift: drift.map((row) => ({ ...row })),
      },
      next: next.map(nextOf),
      ruleSet: ruleSetOf(live[0], rules),
    };
    this.last = { overview, at };
    return overview;
  }

  /** Of a database that takes long, those of the last minute. */
  private async depths(): Promise<Depths | null> {
    const { depths } = this.parts;
    return (await depths.now()) ?? (await depths.known());
  }

  private async day(now: number): Promise<Overview['lastDay']> {
    const day =
      this.minutes.lastDay(now) ??
      (await within(
        this.minutes.counted(now).then(() => this.minutes.lastDay(now)),
        DAY_WITHIN_MS,
        null,
      ));
    if (!day) return null;
    const { events, matches, deliveries, delivered } = day;
    return { events, matches, deliveries, delivered };
  }

  private findings(): Overview['needsPerson']['findings'] {
    const findings = this.parts.findings();
    if (findings === null) return null;
    const count = (severity: Finding['severity']): number =>
      findings.filter((one) => one.severity === severity).length;
    return { error: count('error'), warning: count('warning') };
  }
}

/** `compiled`: null while it is not known. */
function ruleSetOf(live: ActivationRow | undefined, compiled: RuleSet | null): Overview['ruleSet'] {
  if (!live) return null;
  const { hash, number, activatedAt, actor } = live;
  const rules = compiled?.hash === hash ? compiled.rules.length : null;
  return { hash, number, activatedAt: isoOf(activatedAt), rules, actor };
}

function nextOf({ at, what, rule, name, id, entity }: NextRow): Overview['next'][number] {
  return { at: isoOf(at), what, rule, name, id, entity };
}
