import type { DataSource, EntityManager } from 'typeorm';
import type { Clock } from '../config/clock.js';
import { Catalogue, type CatalogueEntry } from '../events/catalogue.js';
import type { LiveCatalogue } from '../events/live-catalogue.js';
import { type CalendarDocuments, loadShippedCalendars } from './calendar/shipped-calendars.js';
import { compileRuleSet, type RuleFiles } from './rule-compiler.js';
import type { RuleSet } from './rule-set.js';
import { RuleSetError } from './rules.errors.js';

const ACTIVATION_LOCK = 4157003;

/** What became of a rule set that was offered for activation. */
export type Activation =
  | ({ readonly outcome: 'activated'; readonly number: number } & Adopted)
  /** It is the active one already. */
  | { readonly outcome: 'unchanged'; readonly number: number }
  /** It was active once, and another is now: going back is a person's act. */
  | { readonly outcome: 'superseded'; readonly number: number; readonly active: string };

/** A rule set became the live one. */
export interface ActivationRow {
  readonly number: number;
  readonly hash: string;
  readonly activatedAt: Date;
  readonly reason: string;
  /** Null: the service itself, by the files on disk. */
  readonly actor: string | null;
  readonly live: boolean;
}

/** Who activates a stored set, and why. */
export interface ActivatedBy {
  readonly actor?: string | undefined;
  readonly reason?: string | undefined;
  /** What belongs into the same transaction. */
  readonly within?: (tx: EntityManager, activated: ActivatedSet) => Promise<void>;
}

export interface ActivatedSet extends Adopted {
  readonly hash: string;
  readonly number: number;
}

/** What an activation did to what stood under the set before. */
export interface Adopted {
  /** Ladders that were cancelled because their rule is gone or off, by rule. */
  readonly cancelledTimers: ReadonlyMap<string, number>;
}

/** What else belongs to the transaction that makes a rule set the live one. `now` in ms. */
export type Adopt = (tx: EntityManager, ruleSet: RuleSet, now: number) => Promise<Adopted>;

const NOTHING_ADOPTED: Adopted = { cancelledTimers: new Map() };

/** How a rule set came to be offered. */
export type Occasion = 'start' | 'change';

/**
 * The rule sets of a database and which of them is live. There is one active set, by activation number, for all
 * instances; it stays active over restarts, also when the files on disk are gone or broken.
 */
export class RuleSetStore {
  private loaded: RuleSet | null = null;
  /** Compiled already, and perhaps live before `offer` has heard of its own commit. */
  private offered: RuleSet | null = null;
  private loading: { readonly hash: string; readonly ruleSet: Promise<RuleSet> } | null = null;
  private broken: string | null = null;

  constructor(
    private readonly dataSource: DataSource,
    private readonly builtIn: Catalogue,
    private readonly live: LiveCatalogue,
    private readonly clock: Clock,
    private readonly adopt: Adopt = () => Promise.resolve(NOTHING_ADOPTED),
  ) {}

  /**
   * Activates a set: one that this database has never seen, or any that was just made by a change on disk. What an
   * instance finds at its start may be an old checkout, and never takes the place of a later set.
   */
  async offer(ruleSet: RuleSet, files: RuleFiles, occasion: Occasion): Promise<Activation> {
    const text = await jsonInSlices(files);
    this.offered = ruleSet;
    try {
      const activation = await this.activateOffered(ruleSet, text, occasion);
      if (activation.outcome !== 'superseded') this.loaded = ruleSet;
      await this.live.refresh();
      return activation;
    } finally {
      this.offered = null;
    }
  }

  private async activateOffered(ruleSet: RuleSet, text: string, occasion: Occasion): Promise<Activation> {
    return await this.dataSource.transaction(async (tx): Promise<Activation> => {
      await tx.query('select pg_advisory_xact_lock($1)', [ACTIVATION_LOCK]);
      const [active] = await this.latest(tx);
      if (active?.hash === ruleSet.hash) return { outcome: 'unchanged', number: active.number };
      const known = await tx.query<unknown[]>('select 1 from rule_set_activations where hash = $1 limit 1', [
        ruleSet.hash,
      ]);
      if (occasion === 'start' && known.length > 0 && active)
        return { outcome: 'superseded', number: active.number, active: active.hash };
      await tx.query(
        `insert into rule_sets (hash, files, catalogue, calendars, created_at)
         values ($1, $2::json, $3::json, $4::json, $5) on conflict do nothing`,
        [
          ruleSet.hash,
          text,
          JSON.stringify(this.builtIn.entries),
          JSON.stringify(loadShippedCalendars()),
          new Date(this.clock.now()),
        ],
      );
      const reason = occasion === 'start' ? 'files on disk' : 'files changed';
      return { outcome: 'activated', ...(await this.insertActivation(tx, ruleSet, reason)) };
    });
  }

  /**
   * Makes a stored set live again; `prefix` is at least 6 characters of its hash.
   *
   * @throws RuleSetError when no stored set, or more than one, begins with it
   */
  async activate(prefix: string, by: ActivatedBy = {}): Promise<ActivatedSet> {
    const ruleSet = await this.findBy(prefix);
    const { actor = null, reason = 'by command', within } = by;
    const activated = await this.dataSource.transaction(async (tx) => {
      await tx.query('select pg_advisory_xact_lock($1)', [ACTIVATION_LOCK]);
      const made = { hash: ruleSet.hash, ...(await this.insertActivation(tx, ruleSet, reason, actor)) };
      await within?.(tx, made);
      return made;
    });
    await this.live.refresh();
    return activated;
  }

  /** Activations, the latest first: up to `limit` of those before the one with the number `before`. */
  async history(limit: number, before: string | null): Promise<ActivationRow[]> {
    return await this.dataSource.query(
      `select number::int as number, hash, activated_at as "activatedAt", reason, actor,
              number = (select max(number) from rule_set_activations) as live
         from rule_set_activations where $2::bigint is null or number < $2::bigint
        order by rule_set_activations.number desc limit $1`,
      [limit, before],
    );
  }

  /** The names of the files of a stored set. */
  async filesOf(hash: string): Promise<string[]> {
    const rows = await this.dataSource.query<{ file: string }[]>(
      'select json_object_keys(files) as file from rule_sets where hash = $1',
      [hash],
    );
    return rows.map(({ file }) => file).sort();
  }

  /** The text of a file of a stored set; null: it has no such file. */
  async fileOf(hash: string, file: string): Promise<string | null> {
    // As JSON: the database's own texts have no U+0000.
    const [row] = await this.dataSource.query<{ text: string | null }[]>(
      'select (files -> $2)::text as text from rule_sets where hash = $1',
      [hash, file],
    );
    return typeof row?.text === 'string' ? (JSON.parse(row.text) as string) : null;
  }

  /** The hash of the rule set that is live now; null: none was ever activated. */
  async liveHash(): Promise<string | null> {
    return await this.activeHash(this.dataSource.manager);
  }

  /**
   * The stored set whose hash begins with `prefix`, of which at least 6 characters are given.
   *
   * @throws RuleSetError when no stored set, or more than one, begins with it
   */
  async findBy(prefix: string): Promise<RuleSet> {
    return await this.find(await this.hashOf(prefix));
  }

  /**
   * The whole hash of the stored set whose hash begins so.
   *
   * @throws RuleSetError as `findBy`
   */
  async hashOf(prefix: string): Promise<string> {
    if (!/^[0-9a-f]{6,64}$/.test(prefix)) {
      throw new RuleSetError(
        'RULE_SET_UNKNOWN',
        `"${prefix.slice(0, 100)}" is no hash of a rule set: give 6 to 64 hex digits.`,
      );
    }
    const [only, ...others] = await this.dataSource.query<{ hash: string }[]>(
      `select hash from rule_sets where hash like $1 || '%' limit 2`,
      [prefix],
    );
    if (only && others.length === 0) return only.hash;
    throw new RuleSetError(
      'RULE_SET_UNKNOWN',
      only
        ? `More than one stored rule set begins with ${prefix}: give more digits.`
        : `No stored rule set begins with ${prefix}.`,
    );
  }

  /**
   * A stored set, compiled with the catalogue and the work calendars of its day.
   *
   * @throws RuleSetError when there is none, or this version cannot read it
   */
  async find(hash: string): Promise<RuleSet> {
    if (this.loaded?.hash === hash) return this.loaded;
    if (this.offered?.hash === hash) return this.offered;
    const [row] = await this.dataSource.query<
      {
        files: Record<string, string>;
        catalogue: CatalogueEntry[] | null;
        calendars: CalendarDocuments | null;
      }[]
    >('select files, catalogue, calendars from rule_sets where hash = $1', [hash]);
    if (!row) throw new RuleSetError('RULE_SET_UNKNOWN', `The rule set ${hash.slice(0, 12)} is not stored.`);
    const builtIn = row.catalogue ? new Catalogue(row.catalogue) : this.builtIn;
    const { ruleSet, findings } = await compileRuleSet(
      new Map(Object.entries(row.files)),
      builtIn,
      row.calendars ?? loadShippedCalendars(),
    );
    if (ruleSet) return ruleSet.hash === hash ? ruleSet : ruleSet.named(hash);
    const first = findings.find(({ severity }) => severity === 'error');
    throw new RuleSetError(
      'RULE_SET_UNREADABLE',
      `The rule set ${hash.slice(0, 12)} cannot be read by this version (${first ? `${first.file}: ${first.message}` : 'no findings'}).`,
    );
  }

  /** The rule set that is live now; null when there is none, or the stored one cannot be read. */
  async current(): Promise<RuleSet | null> {
    const hash = await this.activeHash(this.dataSource.manager);
    if (hash === null || hash === this.broken) return null;
    if (this.loaded?.hash === hash) return this.loaded;
    if (this.loading?.hash !== hash) this.loading = { hash, ruleSet: this.find(hash) };
    try {
      this.loaded = await this.loading.ruleSet;
      return this.loaded;
    } catch (error) {
      if (error instanceof RuleSetError) {
        this.broken = hash;
        error.message += ' Decisions wait until another is activated.';
      }
      throw error;
    } finally {
      this.loading = null;
    }
  }

  /** Whether a set is still the live one, as this transaction sees it. */
  async isLive(ruleSet: RuleSet, tx: EntityManager): Promise<boolean> {
    return (await this.activeHash(tx)) === ruleSet.hash;
  }

  private async activeHash(tx: EntityManager): Promise<string | null> {
    const [active] = await this.latest(tx);
    return active?.hash ?? null;
  }

  private async latest(tx: EntityManager): Promise<{ number: number; hash: string }[]> {
    return await tx.query(
      'select number::int as number, hash from rule_set_activations order by rule_set_activations.number desc limit 1',
    );
  }

  private async insertActivation(
    tx: EntityManager,
    ruleSet: RuleSet,
    reason: string,
    actor: string | null = null,
  ): Promise<Adopted & { readonly number: number }> {
    const now = this.clock.now();
    const { hash, catalogue } = ruleSet;
    const [row] = await tx.query<{ number: number }[]>(
      'insert into rule_set_activations (hash, activated_at, reason, actor) values ($1, $2, $3, $4) returning number::int as number',
      [hash, new Date(now), reason, actor],
    );
    await this.live.put(tx, catalogue, now);
    return { number: row?.number ?? 0, ...(await this.adopt(tx, ruleSet, now)) };
  }
}

const FILES_PER_SLICE = 500;

/** The files as one JSON object, made with turns for others in between: there may be ten thousand. */
async function jsonInSlices(files: RuleFiles): Promise<string> {
  const members: string[] = [];
  for (const [file, text] of files) {
    members.push(`${JSON.stringify(file)}:${JSON.stringify(text)}`);
    if (members.length % FILES_PER_SLICE === 0) await new Promise(setImmediate);
  }
  return `{${members.join()}}`;
}
