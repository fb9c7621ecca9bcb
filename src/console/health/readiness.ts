import { Injectable, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { messageOf } from '../../config/log.js';
import { EventStore } from '../../events/event-store.js';
import type { ConnectionStatus } from '../../ingestion/feishu-connection.js';
import { FeishuConnections } from '../../ingestion/feishu-connections.js';
import { RuleLoader } from '../../rules/rule-loader.js';
import { RuleSetStore } from '../../rules/rule-set-store.js';

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
}

/** Whether this instance takes events: asked by load balancers, and turned off first when the service stops. */
@Injectable()
export class Readiness {
  private stopping = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly modules: ModuleRef,
  ) {}

  stop(): void {
    this.stopping = true;
  }

  async check(): Promise<Health> {
    const database = await this.database();
    const well = database === 'ok';
    const events = this.find(EventStore);
    const connections = this.find(FeishuConnections);
    const statuses = connections?.statuses ?? [];
    const ruleSet = well ? await this.ruleSet() : undefined;
    return {
      ready: well && !this.stopping && !(events?.isFull ?? false) && (connections?.areUsable ?? true),
      stopping: this.stopping,
      database,
      ...(events ? { backlog: events.backlog } : {}),
      ...(statuses.length > 0 ? { connections: statuses } : {}),
      ...(ruleSet ? { ruleSet } : {}),
    };
  }

  private async database(): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => {
        resolve(`no answer within ${DATABASE_WITHIN_MS} ms`);
      }, DATABASE_WITHIN_MS);
    });
    const answer = this.dataSource.query('select 1').then(
      () => 'ok',
      (error: unknown) => messageOf(error),
    );
    const first = await Promise.race([answer, late]);
    clearTimeout(timer);
    return first;
  }

  private async ruleSet(): Promise<Health['ruleSet']> {
    const store = this.find(RuleSetStore);
    const loader = this.find(RuleLoader);
    if (!store || !loader) return undefined;
    const current = await store.current().catch(() => null);
    return {
      hash: current?.hash ?? null,
      rules: current?.rules.length ?? 0,
      findings: loader.findings.length,
      errors: loader.findings.filter(({ severity }) => severity === 'error').length,
    };
  }

  /** Rooms that this role does not open are not there. */
  private find<T>(type: Type<T>): T | null {
    try {
      return this.modules.get(type, { strict: false });
    } catch {
      return null;
    }
  }
}
