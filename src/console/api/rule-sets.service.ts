import type { Actor } from '../../config/access.js';
import type { Finding } from '../../rules/finding.js';
import type { Rule, RuleSet } from '../../rules/rule-set.js';
import type { RuleSetStore } from '../../rules/rule-set-store.js';
import { documentOf, saidSetOf, sentencesOf } from '../../rules/sentence/said-set.js';
import type { AuditLog } from '../access/audit-log.js';
import type { ActBody } from './deliveries.schema.js';
import { liveRule, noneLive } from './live-rule.js';
import { type Page, pageOf, readNumberCursor } from './page.js';
import { refusalOf } from './rule-set-refusal.js';
import type {
  Activated,
  Findings,
  RuleAnswer,
  Rules,
  RuleSetActivation,
  RuleSetAnswer,
  RuleSetQuery,
  RuleSummary,
  SaidRules,
} from './rule-sets.schema.js';
import { lookupDocumentsOf, ruleTable } from './rule-table.js';

/** Rule sets: those that were live, the one that is, its rules, and what is wrong with the files on disk. */
export class RuleSetsService {
  constructor(
    private readonly store: RuleSetStore,
    private readonly here: { readonly findings: () => readonly Finding[] | null },
    private readonly audit: AuditLog,
  ) {}

  /** Activations, the latest first. */
  async list(_actor: Actor, { limit, cursor }: RuleSetQuery): Promise<Page<RuleSetActivation>> {
    const rows = await this.store.history(limit + 1, readNumberCursor(cursor));
    return pageOf(
      rows.map((row) => ({ id: String(row.number), ...row, activatedAt: row.activatedAt.toISOString() })),
      limit,
    );
  }

  /** `live`, or the beginning of a hash. */
  async find(_actor: Actor, hash: string): Promise<RuleSetAnswer> {
    return await telling(async () => {
      const live = await this.store.current();
      const ruleSet = await this.named(hash);
      return {
        hash: ruleSet.hash,
        live: ruleSet.hash === live?.hash,
        rules: ruleSet.rules.map(summaryOf),
        files: await this.store.filesOf(ruleSet.hash),
      };
    });
  }

  /** Everything that a stored set says: `live`, or the beginning of its hash. */
  async said(_actor: Actor, hash: string): Promise<SaidRules> {
    const ruleSet = await telling(() => this.named(hash));
    const { rules, conditions } = await saidSetOf(ruleSet);
    const live = await this.store.liveHash();
    return {
      ruleSet: ruleSet.hash,
      live: ruleSet.hash === live,
      rules: rules.map((one) => ({ ...one, document: { ...one.document } })),
      conditions: conditions.map((one) => ({ ...one, document: { ...one.document } })),
    };
  }

  async activate(actor: Actor, hash: string, { reason }: ActBody): Promise<Activated> {
    const { cancelledTimers, ...activated } = await telling(() =>
      this.store.activate(hash, {
        actor: actor.name,
        reason,
        within: async (tx, made) => {
          await this.audit.record(tx, actor, {
            action: 'rule-set.activate',
            subject: `rule-set:${made.hash}`,
            detail: { number: made.number, ...(reason === undefined ? {} : { reason }) },
          });
        },
      }),
    );
    return { ...activated, cancelledTimers: Object.fromEntries(cancelledTimers) };
  }

  /** The rules that are live. */
  readonly rules: (actor: Actor) => Promise<Rules> = async () => {
    const live = await telling(() => this.store.current());
    return { ruleSet: live?.hash ?? null, items: live?.rules.map(summaryOf) ?? [] };
  };

  /** A rule of the live set. */
  async rule(_actor: Actor, name: string): Promise<RuleAnswer> {
    const { live, rule } = liveRule(await telling(() => this.store.current()), name);
    return detailOf(rule, live);
  }

  private async named(hash: string): Promise<RuleSet> {
    if (hash !== 'live') return await this.store.findBy(hash);
    const live = await this.store.current();
    if (!live) throw noneLive();
    return live;
  }

  /** What was wrong with the rule files when this process looked last. */
  readonly findings: (actor: Actor) => Promise<Findings> = async () => {
    const findings = this.here.findings();
    const live = await this.store.liveHash();
    return { checked: findings !== null, ruleSet: live, findings: [...(findings ?? [])] };
  };
}

async function telling<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw refusalOf(error);
  }
}

function summaryOf(rule: Rule): RuleSummary {
  const { name, description, owner, labels, enabled, mode, shadowOf, priority } = rule;
  const { trigger, file, line, actions, lookups } = rule;
  return {
    name,
    description,
    owner,
    labels: { ...labels },
    enabled,
    mode,
    shadowOf,
    priority,
    trigger: [...trigger],
    file,
    line,
    actions: actions.map((action) => ({ name: action.name, kind: action.kind })),
    lookups: [...new Set([...(lookups?.conditions ?? []), ...(lookups?.templates ?? [])])].sort(),
  };
}

function detailOf(rule: Rule, ruleSet: RuleSet): RuleAnswer {
  return {
    ruleSet: ruleSet.hash,
    ...summaryOf(rule),
    sentence: sentencesOf(documentOf(rule), ruleSet),
    document: { ...rule.document },
    lookupDocuments: lookupDocumentsOf([rule], ruleSet),
    table: ruleTable(rule, ruleSet),
  };
}
