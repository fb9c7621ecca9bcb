import { createHash } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { Catalogue, type CatalogueEntry } from '../../events/catalogue.js';
import { type CalendarDocuments, loadShippedCalendars } from '../../rules/calendar/shipped-calendars.js';
import { checkFiles } from '../../rules/check/check-files.js';
import { checkRuleFiles } from '../../rules/rule-compiler.js';
import type { RuleDocument } from '../../rules/rule-document.js';
import { buildRuleSet } from '../../rules/rule-set.js';
import { documentOf, sentencesOf } from '../../rules/sentence/said-set.js';
import type { Texts } from '../../rules/sentence/language.js';

/** A rule as a stored rule set has it. */
export interface StoredRule {
  readonly file: string;
  /** Read by the loader; as it is written where this version cannot read it. */
  readonly document: RuleDocument | Readonly<Record<string, unknown>>;
  /** Null: this version cannot read it. */
  readonly sentence: Texts | null;
}

/** What one rule of a stored set depends on: the same of two sets is the same rule. */
export interface RuleSource {
  readonly files: Readonly<Record<string, string>>;
  /** A hash of these files, and of the event types and work calendars that came with the product. */
  readonly digest: string;
}

/** Files that say how rules are read. */
const SHARED = String.raw`^(?:.*/)?[^/]+\.(?:conditions|calendar)\.json$|^catalogue/.*\.event\.json$|^(?:lookups|owners|targets)\.json$`;
/** Files that have nothing to say of it. */
const ASIDE = String.raw`\.cases\.json$|^schema\.json$`;
/** So much is checked at once; more in a thread of its own. */
const MOST_CHARACTERS_HERE = 200_000;

/** Reads one rule out of stored rule sets, without compiling the thousands that stand beside it. */
export class StoredRules {
  constructor(
    private readonly dataSource: DataSource,
    private readonly builtIn: Catalogue,
  ) {}

  /** What a rule of this name would be made of; the database looks through the files. Null: the set is not stored. */
  async source(hash: string, name: string): Promise<RuleSource | null> {
    const [row] = await this.dataSource.query<{ files: Record<string, string> | null; rest: string }[]>(
      `select (select json_object_agg(key, value order by key) from json_each_text(files) as file
                where key ~ $3 or (key !~ $4 and (strpos(value, $2) > 0 or strpos(value, '\\u') > 0))) as files,
              md5(coalesce(catalogue::text, '') || '/' || coalesce(calendars::text, '')) as rest
         from rule_sets where hash = $1`,
      // A name is of letters that JSON writes as they are, unless somebody has written them otherwise.
      [hash, JSON.stringify(name), SHARED, ASIDE],
    );
    if (!row) return null;
    const files = row.files ?? {};
    const digest = createHash('sha256')
      .update(JSON.stringify([files, row.rest]))
      .digest('hex');
    return { files, digest };
  }

  /** The rule of this name; null: none of the files has it. */
  async read(hash: string, name: string, { files }: RuleSource): Promise<StoredRule | null> {
    const written = Object.entries(files).flatMap(([file, text]) => {
      const document = writtenRule(text, name);
      return document ? [{ file, document }] : [];
    })[0];
    if (!written) return null;
    const { builtIn, shipped } = await this.dayOf(hash);
    const all = new Map(Object.entries(files));
    const size = [...all.values()].reduce((sum, text) => sum + text.length, 0);
    const checked =
      size <= MOST_CHARACTERS_HERE
        ? checkFiles(all, builtIn, undefined, shipped, () => true)
        : (await checkRuleFiles(all, builtIn, shipped, true)).checked;
    const rule = checked.rules.find((one) => one.name === name);
    if (!rule) return { ...written, sentence: null };
    const words = await buildRuleSet(hash, { ...checked, rules: [rule] }, builtIn, shipped);
    const document = documentOf({ document: rule });
    return { file: rule.file, document, sentence: sentencesOf(document, words) };
  }

  /** The event types and the work calendars of the product when the set was stored. */
  private async dayOf(
    hash: string,
  ): Promise<{ readonly builtIn: Catalogue; readonly shipped: CalendarDocuments }> {
    const [row] = await this.dataSource.query<
      { catalogue: CatalogueEntry[] | null; calendars: CalendarDocuments | null }[]
    >('select catalogue, calendars from rule_sets where hash = $1', [hash]);
    return {
      builtIn: row?.catalogue ? new Catalogue(row.catalogue) : this.builtIn,
      shipped: row?.calendars ?? loadShippedCalendars(),
    };
  }
}

/** The rule of this name in a file as it is written; null: it has none. */
function writtenRule(text: string, name: string): Record<string, unknown> | null {
  let value: unknown;
  try {
    value = JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text);
  } catch {
    return null;
  }
  const rules: unknown[] = Array.isArray(value) ? value : [value];
  const found = rules.find(
    (one): one is Record<string, unknown> =>
      typeof one === 'object' && one !== null && 'conditions' in one && 'name' in one && one.name === name,
  );
  return found ?? null;
}
