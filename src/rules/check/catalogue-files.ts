import { type Catalogue, CATALOGUE_ENTRY, type CatalogueEntry } from '../../events/catalogue.js';
import type { FileReport } from './file-report.js';
import { membersOf, valueOf } from './json-node.js';
import type { JsonNode } from './json-text.js';
import { reportIssues } from './schema-issues.js';

const INVALID = 'CATALOGUE_INVALID';
const CODES = { unknownKey: INVALID, invalidKey: INVALID, missingKey: INVALID, invalidValue: INVALID };

/** The event types that the rules folder adds to the catalogue. */
export class CatalogueFiles {
  private readonly byType = new Map<string, { readonly entry: CatalogueEntry; readonly file: string }>();

  constructor(private readonly builtIn: Catalogue) {}

  get entries(): readonly CatalogueEntry[] {
    return [...this.byType.values()].map(({ entry }) => entry);
  }

  /** Reads one `catalogue/*.event.json`. */
  read(root: JsonNode, report: FileReport): void {
    const errorsBefore = report.errorCount;
    const parsed = CATALOGUE_ENTRY.safeParse(valueOf(root));
    reportIssues(parsed.error?.issues ?? [], { node: root }, report, CODES);
    if (!parsed.success || report.errorCount > errorsBefore) return;
    const entry = parsed.data;
    const at = membersOf(root).get('eventType')?.value ?? root;
    const other = this.byType.get(entry.eventType);
    if (other) {
      report.error(
        at,
        'CATALOGUE_TYPE_TWICE',
        `${entry.eventType} is described in ${other.file} already`,
        'Keep one of the two files.',
      );
      return;
    }
    if (this.builtIn.find(entry.eventType)) {
      report.info(
        at,
        'CATALOGUE_OVERRIDES',
        `this replaces what Aftersign itself knows of ${entry.eventType}`,
        'Remove the file to use the description that ships with Aftersign.',
      );
    }
    this.byType.set(entry.eventType, { entry, file: report.file });
  }
}
