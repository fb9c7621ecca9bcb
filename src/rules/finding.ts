import { displayWidth } from '../config/terminal-text.js';

/** One thing wrong in the rule files, with the mend. Lines and columns count from 1, columns in UTF-16 units. */
export interface Finding {
  readonly code: string;
  readonly severity: 'error' | 'warning' | 'info';
  /** Relative to the rules folder. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Characters of the offending token. */
  readonly length?: number;
  /** The name of the rule it is about. */
  readonly rule?: string;
  /** An event that shows it. */
  readonly witness?: Witness;
  /** The rule in words, where it is about what the rule means. */
  readonly sentence?: { readonly zh: string; readonly en: string };
  readonly message: string;
  readonly mend: string;
}

/** An event that shows what a finding says: to be put into a case, or to be tried. Plain JSON. */
export interface Witness {
  /** As Feishu would send it, or another sender whose type it is. */
  readonly event: Readonly<Record<string, unknown>>;
  /** Facts that the event alone does not make: of the state, of look-ups, of the clock. */
  readonly facts?: Readonly<Record<string, unknown>>;
  /** Facts that the event would make and that are not there: of a schedule, when an entity has no such event. */
  readonly missing?: readonly string[];
  /** A date-time that `olderThan` and `newerThan` count from; absent: 2026-01-05T09:00:00+08:00. */
  readonly now?: string;
}

/** By file, then by place. */
export function byPlace(a: Finding, b: Finding): number {
  return (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.line - b.line || a.column - b.column;
}

/** How the parts of a finding are coloured; identity where there is no terminal. */
export interface FindingColours {
  readonly error: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly info: (text: string) => string;
  readonly dim: (text: string) => string;
}

const plain = (text: string): string => text;
const NO_COLOURS: FindingColours = { error: plain, warning: plain, info: plain, dim: plain };

/**
 * `renewal.rule.json:12:7 error RULE_KEY_UNKNOWN: …`; with the file's text, the line with the token underlined; then
 * the mend.
 */
export function formatFinding(finding: Finding, text?: string, colours: FindingColours = NO_COLOURS): string {
  const { file, line, column, severity, code, message, mend } = finding;
  const head = `${visible(file)}:${line}:${column} ${colours[severity](`${severity} ${code}`)}: ${visible(message)}`;
  const excerpt = text === undefined ? null : excerptOf(finding, text);
  const shown =
    excerpt === null
      ? ''
      : `\n${colours.dim(`${excerpt.number} │`)} ${excerpt.source}\n${colours.dim(`${excerpt.margin} │`)} ${excerpt.indent}${colours[severity](excerpt.caret)}`;
  return `${head}${shown}\n    ${visible(mend)}`;
}

const MOST_LISTED = 20;

/** As many findings as a log is to hold, each with its line of the file, and how many more there are. */
export function listed(findings: readonly Finding[], files: ReadonlyMap<string, string>): string {
  const more = findings.length - MOST_LISTED;
  return [
    ...findings.slice(0, MOST_LISTED).map((finding) => formatFinding(finding, files.get(finding.file))),
    ...(more > 0 ? [`and ${more} more: run "aftersign rules check"`] : []),
  ].join('\n');
}

interface Excerpt {
  readonly number: string;
  readonly margin: string;
  readonly source: string;
  readonly indent: string;
  readonly caret: string;
}

/** As much of a line is shown around its token: a file may be one line of megabytes. */
const BEFORE = 70;
const AFTER = 70;

function excerptOf({ line, column, length = 1 }: Finding, text: string): Excerpt | null {
  const source = lineOf(text.startsWith('\ufeff') ? text.slice(1) : text, line);
  if (source === null || column > source.length + 1) return null;
  const start = column - 1;
  const from = start > BEFORE ? start - BEFORE + 1 : 0;
  const to = Math.min(source.length, start + Math.min(length, AFTER) + AFTER);
  const before = `${from > 0 ? '…' : ''}${visible(source.slice(from, start))}`;
  const token = visible(source.slice(start, Math.min(start + length, to)));
  const after = `${visible(source.slice(Math.min(start + length, to), to))}${to < source.length ? '…' : ''}`;
  const number = String(line).padStart(6);
  return {
    number,
    margin: ' '.repeat(number.length),
    source: `${before}${token}${after}`,
    // A tab stays a tab, so that the caret stands under its token however wide tabs are.
    indent: Array.from(before, (one) => (one === '\t' ? '\t' : ' '.repeat(displayWidth(one)))).join(''),
    caret: '^'.repeat(
      Math.max(
        1,
        Array.from(token).reduce((sum, one) => sum + displayWidth(one), 0),
      ),
    ),
  };
}

function lineOf(text: string, line: number): string | null {
  const ends = /\r\n|\r|\n/g;
  let start = 0;
  for (let at = 1; at < line; at += 1) {
    const end = ends.exec(text);
    if (!end) return null;
    start = ends.lastIndex;
  }
  const end = ends.exec(text);
  return text.slice(start, end ? end.index : undefined);
}

/** Control characters could write anything onto a terminal, and half a surrogate pair is none: a dot stands for them. */
export function visible(text: string): string {
  return text.replace(/[^\P{C}\t\u200d]/gu, '·');
}

const LEVELS = { error: 'error', warning: 'warning', info: 'note' } as const;

/** The findings as a SARIF 2.1.0 log, as code hosts show them beside the lines. File names are relative to `RULES`. */
export function toSarif(findings: readonly Finding[], toolVersion: string): object {
  const codes = [...new Set(findings.map(({ code }) => code))].sort();
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'aftersign',
            version: toolVersion,
            rules: codes.map((id) => ({
              id,
              shortDescription: { text: id.toLowerCase().replaceAll('_', ' ') },
            })),
          },
        },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { RULES: { description: { text: 'the rules folder' } } },
        results: findings.map(
          ({ code, severity, file, line, column, length, rule, message, mend, witness, sentence }) => ({
            ruleId: code,
            ruleIndex: codes.indexOf(code),
            level: LEVELS[severity],
            message: { text: `${message}. ${mend}` },
            locations: [
              {
                physicalLocation: {
                  artifactLocation: {
                    uri: file.split('/').map(encodeURIComponent).join('/'),
                    uriBaseId: 'RULES',
                  },
                  region: {
                    startLine: line,
                    startColumn: column,
                    ...(length ? { endColumn: column + length } : {}),
                  },
                },
                ...(rule === undefined ? {} : { logicalLocations: [{ name: rule, kind: 'member' }] }),
              },
            ],
            ...(witness || sentence
              ? { properties: { ...(witness ? { witness } : {}), ...(sentence ? { sentence } : {}) } }
              : {}),
          }),
        ),
      },
    ],
  };
}
