import type { DataSource, EntityManager } from 'typeorm';
import type { Clock } from '../config/clock.js';
import type { Catalogue } from '../events/catalogue.js';
import { RuleSetError } from './rules.errors.js';
import { compileRuleSet, type RuleFiles, type RuleSet } from './rule-set.js';

const ACTIVATION_LOCK = 4157003;

/** What became of a rule set that was offered for activation. */
export type Activation =
  | { readonly outcome: 'activated'; readonly number: number }
  /** It is the active one already. */
  | { readonly outcome: 'unchanged'; readonly number: number }
  /** It was active once, and another is now: going back is a person's act. */
  | { readonly outcome: 'superseded'; readonly number: number; readonly active: string };

/**
 * The rule sets of a database and which of them is live. There is one active set, by activation number, for all
 * instances; it stays active over restarts, also when the files on disk are gone or broken.
 */
export class RuleSetStore {
  private loaded: RuleSet | null = null;
  private broken: string | null = null;

  constructor(
    private readonly dataSource: DataSource,
    private readonly catalogue: Catalogue,
    private readonly clock: Clock,
  ) {}

  /** Activates a set that this database has never seen. */
  async offer(ruleSet: RuleSet, files: RuleFiles): Promise<Activation> {
    return await this.dataSource.transaction(async (tx) => {
      await tx.query('select pg_advisory_xact_lock($1)', [ACTIVATION_LOCK]);
      const [active] = await this.latest(tx);
      if (active?.hash === ruleSet.hash) return { outcome: 'unchanged', number: active.number };
      const known = await tx.query<unknown[]>('select 1 from rule_set_activations where hash = $1 limit 1', [
        ruleSet.hash,
      ]);
      if (known.length > 0 && active)
        return { outcome: 'superseded', number: active.number, active: active.hash };
      await tx.query(
        'insert into rule_sets (hash, files, created_at) values ($1, $2::json, $3) on conflict do nothing',
        [ruleSet.hash, JSON.stringify(Object.fromEntries(files)), new Date(this.clock.now())],
      );
      return { outcome: 'activated', number: await this.insertActivation(tx, ruleSet.hash, 'files on disk') };
    });
  }

  /**
   * Makes a stored set live again; `prefix` is at least 6 characters of its hash.
   *
   * @throws RuleSetError when no stored set, or more than one, begins with it
   */
  async activate(prefix: string): Promise<{ readonly hash: string; readonly number: number }> {
    if (!/^[0-9a-f]{6,64}$/.test(prefix)) {
      throw new RuleSetError(
        'RULE_SET_UNKNOWN',
        `"${prefix}" is no hash of a rule set: give 6 to 64 hex digits.`,
      );
    }
    return await this.dataSource.transaction(async (tx) => {
      await tx.query('select pg_advisory_xact_lock($1)', [ACTIVATION_LOCK]);
      const found = await tx.query<{ hash: string }[]>(
        `select hash from rule_sets where hash like $1 || '%' limit 2`,
        [prefix],
      );
      const [only] = found;
      if (!only || found.length > 1) {
        throw new RuleSetError(
          'RULE_SET_UNKNOWN',
          only
            ? `More than one stored rule set begins with ${prefix}: give more digits.`
            : `No stored rule set begins with ${prefix}.`,
        );
      }
      return { hash: only.hash, number: await this.insertActivation(tx, only.hash, 'by command') };
    });
  }

  /** The rule set that is live now, or null when there is none or the stored one cannot be read. */
  async current(tx: EntityManager = this.dataSource.manager): Promise<RuleSet | null> {
    const [active] = await this.latest(tx);
    if (!active || active.hash === this.broken) return null;
    if (this.loaded?.hash === active.hash) return this.loaded;
    const [row] = await tx.query<{ files: Record<string, string> }[]>(
      'select files from rule_sets where hash = $1',
      [active.hash],
    );
    const { ruleSet, findings } = compileRuleSet(new Map(Object.entries(row?.files ?? {})), this.catalogue);
    if (!ruleSet) {
      this.broken = active.hash;
      throw new RuleSetError(
        'RULE_SET_UNREADABLE',
        `The active rule set ${active.hash.slice(0, 12)} cannot be read by this version (${findings[0]?.message ?? 'no findings'}): decisions wait until another is activated.`,
      );
    }
    // Named as it was activated, although a newer catalogue would give the same files another hash.
    this.loaded = { ...ruleSet, hash: active.hash };
    return this.loaded;
  }

  private async latest(tx: EntityManager): Promise<{ number: number; hash: string }[]> {
    return await tx.query(
      'select number::int as number, hash from rule_set_activations order by rule_set_activations.number desc limit 1',
    );
  }

  private async insertActivation(tx: EntityManager, hash: string, reason: string): Promise<number> {
    const [row] = await tx.query<{ number: number }[]>(
      'insert into rule_set_activations (hash, activated_at, reason) values ($1, $2, $3) returning number::int as number',
      [hash, new Date(this.clock.now()), reason],
    );
    return row?.number ?? 0;
  }
}
