import type { DataSource, EntityManager } from 'typeorm';
import { Catalogue, type CatalogueEntry } from './catalogue.js';

/**
 * The event types by which events are read now: the product's own and those that came with the active rule set. One
 * for all instances, also for those that evaluate no rules.
 */
export class LiveCatalogue {
  private catalogue: Catalogue;

  constructor(
    private readonly dataSource: DataSource,
    builtIn: Catalogue,
  ) {
    this.catalogue = builtIn;
  }

  get current(): Catalogue {
    return this.catalogue;
  }

  /** Part of the transaction that activates a rule set; `refresh` makes it visible here and elsewhere. */
  async put(tx: EntityManager, catalogue: Catalogue, now: number): Promise<void> {
    await tx.query(
      `insert into catalogues (version, entries, activated_at) values ($1, $2::json, $3)
       on conflict (version) do update set activated_at = excluded.activated_at`,
      [catalogue.version, JSON.stringify(catalogue.entries), new Date(now)],
    );
  }

  async refresh(): Promise<void> {
    const [row] = await this.dataSource.query<{ version: string; entries: CatalogueEntry[] | null }[]>(
      `select version, case when version = $1 then null else entries end as entries
         from catalogues order by activated_at desc limit 1`,
      [this.catalogue.version],
    );
    if (row?.entries) this.catalogue = new Catalogue(row.entries);
  }
}
