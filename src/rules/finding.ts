/** One thing wrong in the rule files, with the mend. Lines and columns count from 1. */
export interface Finding {
  readonly code: string;
  readonly severity: 'error' | 'warning' | 'info';
  /** Relative to the rules folder. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly mend: string;
}

/** `renewal.rule.json:12:7 error RULE_KEY_UNKNOWN …`, and the mend on a line of its own. */
export function formatFinding(finding: Finding): string {
  const { file, line, column, severity, code, message, mend } = finding;
  return `${file}:${line}:${column} ${severity} ${code}: ${message}\n    ${mend}`;
}
