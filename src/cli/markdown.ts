import { printable } from '../config/terminal-text.js';

const LONGEST = 300;
/** All that may be a mark of Markdown or HTML. */
const MARKS = /[!#$%&()*+:<=>@[\\\]^_`{|}~"'-]/g;
/** What with a word behind it is a mention or a reference, on some platform, also when it is written as an entity. */
const REFERRING = /[@#!~$%&^:]/;

/**
 * Text of others within Markdown, where it stands for itself alone: as code, so that no mark, mention, link or tag in it
 * means anything. Not within a table: see `cell`.
 */
export function code(text: string, longest = LONGEST): string {
  const safe = printable(shortened(text, longest));
  if (safe.trim() === '') return '` `';
  const fence = '`'.repeat(longestRun(safe) + 1);
  const pad = safe.startsWith('`') || safe.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${safe}${pad}${fence}`;
}

/** The same within the cell of a table, or within HTML: there a bar or a line end would be more than text. */
export function cell(text: string, longest = LONGEST): string {
  return `<code>${printable(shortened(text, longest)).replace(MARKS, entityOf)}</code>`;
}

/** A text of others as a block of code; `language`: `json`, `diff`, `text`. Its lines stay. */
export function codeBlock(text: string, language: string): string {
  const safe = text.split('\n').map(printable).join('\n');
  const fence = '`'.repeat(Math.max(3, longestRun(safe) + 1));
  return `${fence}${language}\n${safe}\n${fence}`;
}

/** A text of rule files within a paragraph, no mark of which means anything. Line ends stay. */
export function prose(text: string): string {
  return text
    .split('\n')
    .map((line) =>
      printable(line)
        .replace(/^ +/, (blanks) => '&nbsp;'.repeat(blanks.length))
        .replace(/^(\d+)([.)])/, '$1&#8203;$2')
        .replace(/\bwww\./gi, (one) => `${one}&#8203;`)
        .split(/(&(?:nbsp|#8203);)/)
        .map((part, at) => (at % 2 === 1 ? part : part.replace(MARKS, apart)))
        .join(''),
    )
    .join('\n');
}

/** What stands between `<details>` and is opened by a click. `summary`: HTML on one line. */
export function details(summary: string, content: string): string {
  return `<details>\n<summary>${summary}</summary>\n\n${content}\n\n</details>`;
}

function entityOf(one: string): string {
  return `&#${one.codePointAt(0) ?? 0};`;
}

/** With a space of no width behind it where a word there would be a name. */
function apart(one: string): string {
  return REFERRING.test(one) ? `${entityOf(one)}&#8203;` : entityOf(one);
}

function shortened(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
}
