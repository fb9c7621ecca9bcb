import type { DataSource } from 'typeorm';
import type { RenderedRequest } from '../../action/action.js';
import type { DrillResult, TargetDrill } from '../../action/target-drill.js';
import type { Actor } from '../../config/access.js';
import type { Clock } from '../../config/clock.js';
import { Refusal } from '../../config/problem.js';
import type { RuleSetStore } from '../../rules/rule-set-store.js';
import { sampleRequests, type SampleRequests } from '../../rules/sample-requests.js';
import type { AuditLog } from '../access/audit-log.js';
import type { DrillAnswer, DrillBody } from './drills.schema.js';
import { maskTarget } from './personal.js';
import { refusalOf } from './rule-set-refusal.js';

/** More targets by one request than this take longer than anybody waits. */
const MOST = 100;
const AT_ONCE = 20;

/** Drills: targets tried by hand, with what the live rule set would send there for a sample event. */
export class DrillsService {
  private under = false;

  constructor(
    private readonly dataSource: DataSource,
    /** Null: this process sends nothing. */
    private readonly drill: () => TargetDrill | null,
    private readonly parts: {
      readonly ruleSets: RuleSetStore;
      readonly audit: AuditLog;
      readonly clock: Clock;
      readonly timezone: string;
    },
  ) {}

  /** @throws Refusal 404 DRILL_TARGET_UNKNOWN; 409 RULES_NONE, DRILL_NOT_HERE; 429 BUSY */
  async test(actor: Actor, { target, send }: DrillBody): Promise<DrillAnswer> {
    const drill = this.drill();
    if (!drill)
      throw new Refusal(
        409,
        'DRILL_NOT_HERE',
        'This instance sends nothing: ask one whose ROLE has "action", or run the command on its machine.',
      );
    if (this.under)
      throw new Refusal(429, 'BUSY', 'Other targets are being tested: ask again in a moment.', {
        headers: { 'retry-after': '5' },
      });
    this.under = true;
    try {
      return await this.testAll(actor, drill, await this.samples(), { target, send });
    } finally {
      this.under = false;
    }
  }

  private async testAll(
    actor: Actor,
    drill: TargetDrill,
    { requests, left }: SampleRequests,
    { target, send }: DrillBody,
  ): Promise<DrillAnswer> {
    const wanted = [...requests].filter(([name]) => target === undefined || name === target);
    if (target !== undefined && wanted.length === 0)
      throw new Refusal(
        404,
        'DRILL_TARGET_UNKNOWN',
        `No action of the live rule set leads to "${target}" with a sample event. ${
          requests.size === 0 ? '' : `There are: ${[...requests.keys()].slice(0, 20).join(', ')}.`
        }`,
      );
    const taken = wanted.slice(0, MOST);
    await this.dataSource.transaction(async (tx) => {
      const subject = target === undefined ? 'targets' : `target:${maskTarget(target)}`;
      await this.parts.audit.record(tx, actor, {
        action: 'target.test',
        subject,
        detail: { send, targets: taken.length },
      });
    });
    const items = await inTurns(taken, (name, request) => drill.run(name, request, { send }));
    return {
      items: items.map((one) => ({ ...one, steps: [...one.steps] })),
      left: target === undefined ? [...left] : [],
      more: wanted.length - taken.length,
    };
  }

  private async samples(): Promise<SampleRequests> {
    const { ruleSets, clock, timezone } = this.parts;
    try {
      const ruleSet = await ruleSets.current();
      if (!ruleSet) throw new Refusal(409, 'RULES_NONE', 'No rule set is live: nothing leads anywhere.');
      return sampleRequests(ruleSet, { now: clock.now(), timezone });
    } catch (error) {
      throw refusalOf(error);
    }
  }
}

async function inTurns(
  requests: readonly (readonly [string, RenderedRequest])[],
  run: (target: string, request: RenderedRequest) => Promise<DrillResult>,
): Promise<DrillResult[]> {
  const results = new Map<string, DrillResult>();
  const waiting = requests.values();
  const work = async (): Promise<void> => {
    for (const [target, request] of waiting) results.set(target, await run(target, request));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return requests.flatMap(([target]) => results.get(target) ?? []);
}
