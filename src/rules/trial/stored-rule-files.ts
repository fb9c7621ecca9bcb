import { Catalogue, type CatalogueEntry } from '../../events/catalogue.js';
import type { CalendarDocuments } from '../calendar/shipped-calendars.js';
import { type CheckedFiles, checkFiles } from '../check/check-files.js';
import { type FileKind, kindOf } from '../check/file-kind.js';
import { ruleSetHash } from '../check/rule-set-hash.js';
import type { RuleFiles } from '../rule-compiler.js';
import { buildRuleSet, type RuleSet } from '../rule-set.js';

/** A stored rule set as whoever tries its rules is given it: to be read where nobody waits. Plain JSON. */
export interface StoredRuleFiles {
  readonly hash: string;
  /** A JSON object, file → text, as it is stored. */
  readonly files: string;
  /** The event types and the work calendars of the product on the day when it was stored. */
  readonly catalogue: readonly CatalogueEntry[];
  readonly calendars: CalendarDocuments;
}

/**
 * The files of a stored rule set, of which only those are checked that a question is about: rules do not depend on each
 * other, but for their names and what files of the other kinds say.
 */
export class RuleFolderParts {
  readonly files: RuleFiles;
  private readonly builtIn: Catalogue;
  private readonly calendars: CalendarDocuments;

  constructor(stored: StoredRuleFiles) {
    this.files = new Map(Object.entries(JSON.parse(stored.files) as Record<string, string>));
    this.builtIn = new Catalogue(stored.catalogue);
    this.calendars = stored.calendars;
  }

  /** The version that a set of these files would have. */
  hashOf(files: RuleFiles): string {
    return ruleSetHash(files, this.builtIn, this.calendars);
  }

  /**
   * Checks what rules refer to, and of the files with rules those that are meant; null: all of them. `elsewhere`: whether a
   * rule of a name stands in one that is not meant.
   */
  check(
    files: RuleFiles,
    meant: ReadonlySet<string> | null,
    elsewhere: (rule: string) => boolean = () => meant !== null,
  ): CheckedFiles {
    const some = new Map(
      [...files].filter(([file]) => {
        const kind = kindOf(file);
        return kind !== 'cases' && (meant === null || meant.has(file) || !mayHoldRules(kind));
      }),
    );
    return checkFiles(some, this.builtIn, undefined, this.calendars, elsewhere);
  }

  /** Checks the form of one file of rule tests; whether the rules are there that they name, a run of them tells. */
  checkCases(files: RuleFiles, file: string): CheckedFiles {
    return checkFiles(new Map([[file, files.get(file) ?? '']]), this.builtIn, undefined, this.calendars);
  }

  /** @throws Error when the files have errors: whoever is to build them has looked. */
  async build(hash: string, checked: CheckedFiles): Promise<RuleSet> {
    const error = checked.findings.find(({ severity }) => severity === 'error');
    if (error) throw new Error(`the rule set cannot be read: ${error.file}: ${error.message}`);
    return await buildRuleSet(hash, checked, this.builtIn, this.calendars);
  }
}

/** Rules may stand in a file of any name that says nothing else. */
export function mayHoldRules(kind: FileKind): boolean {
  return kind === 'rule' || kind === 'unknown';
}
