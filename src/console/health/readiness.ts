import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { within } from '../../config/within.js';
import { EventStore } from '../../events/event-store.js';
import type { ConnectionStatus } from '../../ingestion/feishu-connection.js';
import { FeishuConnections } from '../../ingestion/feishu-connections.js';
import { CalendarWatch, type KnownCalendars } from '../../rules/calendar-watch.js';
import { RuleLoader } from '../../rules/rule-loader.js';
import { RuleSetStore } from '../../rules/rule-set-store.js';
import { DepthGauge } from './depths.js';
import { type HealthFacts, type HealthReason, reasonsOf, warningsOf } from './health-reasons.js';
import { OpenRooms } from './open-rooms.js';

const DATABASE_WITHIN_MS = 1500;

/** What `GET /health/ready` says. */
export interface Health {
  readonly ready: boolean;
  readonly stopping: boolean;
  /** `ok`, or what is wrong. */
  readonly database: string;
  /** Only where the role has the room. */
  readonly backlog?: number;
  /** Only where there are long connections. */
  readonly connections?: readonly ConnectionStatus[];
  readonly ruleSet?: {
    readonly hash: string | null;
    readonly rules: number;
    readonly findings: number;
    readonly errors: number;
  };
  /** Why it is not ready. */
  readonly reasons: readonly HealthReason[];
  /** What needs a person, and does not keep events from being taken. */
  readonly warnings: readonly HealthReason[];
}

/** Whether this instance takes events: asked by load balancers, and turned off first when the service stops. */
@Injectable()
export class Readiness {
  private stopping = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly depths: DepthGauge,
    private readonly rooms: OpenRooms,
  ) {}

  stop(): void {
    this.stopping = true;
  }

  async check(): Promise<Health> {
    const started = performance.now();
    let ms = 0;
    const [database, loaded, depths] = await Promise.all([
      this.database().finally(() => {
        ms = performance.now() - started;
      }),
      within(this.ruleSet(), DATABASE_WITHIN_MS, undefined),
      this.depths.known(),
    ]);
    const ok = database === 'ok';
    const { ruleSet, calendars } = (ok ? loaded : undefined) ?? { ruleSet: undefined, calendars: null };
    const events = this.rooms.find(EventStore);
    const connections = this.rooms.find(FeishuConnections);
    const statuses = connections?.statuses ?? [];
    const facts: HealthFacts = {
      stopping: this.stopping,
      database: { ok, ms },
      backlogFull: events?.isFull ?? false,
      connections: statuses,
      connectionsUsable: connections?.areUsable ?? true,
      depths,
      ruleSet,
      calendars,
    };
    const reasons = reasonsOf(facts);
    return {
      ready: reasons.length === 0,
      stopping: this.stopping,
      database,
      ...(events ? { backlog: events.backlog } : {}),
      ...(statuses.length > 0 ? { connections: statuses } : {}),
      ...(ruleSet ? { ruleSet } : {}),
      reasons,
      warnings: warningsOf(facts),
    };
  }

  private async database(): Promise<string> {
    const answer = this.dataSource.query('select 1').then(() => 'ok', troubleOf);
    return await within(answer, DATABASE_WITHIN_MS, `no answer within ${DATABASE_WITHIN_MS} ms`);
  }

  private async ruleSet(): Promise<
    { readonly ruleSet: Health['ruleSet']; readonly calendars: KnownCalendars | null } | undefined
  > {
    const store = this.rooms.find(RuleSetStore);
    const loader = this.rooms.find(RuleLoader);
    if (!store || !loader) return undefined;
    const current = await store.current().catch(() => null);
    return {
      ruleSet: {
        hash: current?.hash ?? null,
        rules: current?.rules.length ?? 0,
        findings: loader.findings.length,
        errors: loader.findings.filter(({ severity }) => severity === 'error').length,
      },
      calendars: current ? (this.rooms.find(CalendarWatch)?.known(current) ?? null) : null,
    };
  }
}

/** Whoever reaches the port reads this: a code at most, where the message could hold an address or a name. */
function troubleOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  return typeof code === 'string' && /^[A-Z0-9_]{3,40}$/.test(code)
    ? `does not answer (${code})`
    : 'does not answer';
}
