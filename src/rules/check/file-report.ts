import type { Finding } from '../finding.js';
import type { JsonNode, JsonText, Place } from './json-text.js';

type Severity = Finding['severity'];

/** As many findings of one file are listed; behind them stands the same mistake over and over, or no rule file. */
const MOST_FINDINGS = 1000;
const RANK: Readonly<Record<Severity, number>> = { info: 0, warning: 1, error: 2 };

/** How to mend something. Looking for the name that was meant takes time: only for findings that are listed. */
export type Mend = string | (() => string);

/** Gathers the findings of one file, each at the place of a value or of a key. */
export class FileReport {
  /** The name of the rule that is being checked; its findings carry it. */
  rule: string | null = null;
  private readonly listed: Finding[] = [];
  private cut: Severity | null = null;
  private errors = 0;

  constructor(
    readonly file: string,
    readonly json: JsonText,
  ) {}

  /** How many errors there were so far: what is checked between two looks is sound when the number has not changed. */
  get errorCount(): number {
    return this.errors;
  }

  /** Nothing more will be listed. */
  get isFull(): boolean {
    return this.listed.length >= MOST_FINDINGS;
  }

  get findings(): readonly Finding[] {
    if (this.cut === null) return this.listed;
    const last: Finding = {
      code: 'FINDINGS_CUT',
      severity: this.cut,
      file: this.file,
      line: this.listed.at(-1)?.line ?? 1,
      column: this.listed.at(-1)?.column ?? 1,
      message: `only the first ${MOST_FINDINGS} findings of this file are listed; there are more`,
      mend: 'Mend those first.',
    };
    return [...this.listed, last];
  }

  error(at: Place | JsonNode, code: string, message: string, mend: Mend): void {
    this.errors += 1;
    this.add('error', at, code, message, mend);
  }

  warning(at: Place | JsonNode, code: string, message: string, mend: Mend): void {
    this.add('warning', at, code, message, mend);
  }

  info(at: Place | JsonNode, code: string, message: string, mend: Mend): void {
    this.add('info', at, code, message, mend);
  }

  private add(severity: Severity, at: Place | JsonNode, code: string, message: string, mend: Mend): void {
    if (this.isFull) {
      if (this.cut === null || RANK[severity] > RANK[this.cut]) this.cut = severity;
      return;
    }
    this.listed.push({
      code,
      severity,
      file: this.file,
      ...this.json.positionOf(at.offset),
      length: lengthOf(at),
      ...(this.rule === null ? {} : { rule: this.rule }),
      message,
      mend: typeof mend === 'string' ? mend : mend(),
    });
  }
}

/** Objects and lists are marked by their bracket alone. */
function lengthOf(at: Place | JsonNode): number {
  return 'type' in at && (at.type === 'object' || at.type === 'array') ? 1 : at.length;
}
