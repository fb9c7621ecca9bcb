import { printable } from '../../config/terminal-text.js';

/** How parts of a text are set off; identity where there is no terminal. */
export interface TextColours {
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly bold: (text: string) => string;
}

const plain = (text: string): string => text;
/** Without any colour. */
export const PLAIN: TextColours = { red: plain, green: plain, dim: plain, bold: plain };

/** So many lines of one value are shown. */
const MOST_LINES = 40;
const LONGEST_LINE = 200;
/** A comparison takes as many steps as the product of the two numbers of lines. */
const MOST_STEPS = 250_000;

/** What was expected and what there was, line by line: `−`, `+`, and what is the same. Undefined: it is not there. */
export function valueDiff(expected: unknown, actual: unknown, colours: TextColours): readonly string[] {
  const [before, after] = [linesOf(expected), linesOf(actual)];
  const lines =
    before.length * after.length > MOST_STEPS
      ? [...before.map((text) => ['−', text] as const), ...after.map((text) => ['+', text] as const)]
      : compared(before, after);
  const shown = lines.slice(0, MOST_LINES).map(([mark, text]) => lineOf(mark, text, colours));
  const more = lines.length - shown.length;
  return more > 0 ? [...shown, colours.dim(`  … ${more} more lines`)] : shown;
}

/** A value of which there is nothing to compare with. */
export function valueLines(value: unknown, mark: '−' | '+', colours: TextColours): readonly string[] {
  const lines = linesOf(value);
  const shown = lines.slice(0, MOST_LINES).map((text) => lineOf(mark, text, colours));
  return lines.length > shown.length
    ? [...shown, colours.dim(`  … ${lines.length - shown.length} more lines`)]
    : shown;
}

type Mark = '−' | '+' | ' ';

function lineOf(mark: Mark, text: string, colours: TextColours): string {
  const safe = printable(text);
  const short =
    safe.length > LONGEST_LINE ? `${safe.slice(0, LONGEST_LINE)}… (${text.length} characters)` : safe;
  const line = `${mark} ${short}`;
  return mark === '−' ? colours.red(line) : mark === '+' ? colours.green(line) : colours.dim(line);
}

/** A text of several lines as it is, anything else as JSON. */
function linesOf(value: unknown): readonly string[] {
  if (value === undefined) return ['(nothing 无)'];
  if (typeof value === 'string' && value.includes('\n')) return value.split('\n');
  return (JSON.stringify(value, null, 2) as string | undefined)?.split('\n') ?? [''];
}

/** By the longest common subsequence. */
function compared(before: readonly string[], after: readonly string[]): readonly (readonly [Mark, string])[] {
  const [rows, columns] = [before.length, after.length];
  const common = Array.from({ length: rows + 1 }, () => new Uint16Array(columns + 1));
  const at = (row: number, column: number): number => common[row]?.[column] ?? 0;
  for (let row = rows - 1; row >= 0; row -= 1)
    for (let column = columns - 1; column >= 0; column -= 1) {
      const line = common[row];
      if (!line) continue;
      line[column] =
        before[row] === after[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
    }
  const lines: (readonly [Mark, string])[] = [];
  let [row, column] = [0, 0];
  while (row < rows || column < columns) {
    const [old, now] = [before[row], after[column]];
    if (old !== undefined && old === now) {
      lines.push([' ', old]);
      row += 1;
      column += 1;
    } else if (now === undefined || (old !== undefined && at(row + 1, column) >= at(row, column + 1))) {
      lines.push(['−', old ?? '']);
      row += 1;
    } else {
      lines.push(['+', now]);
      column += 1;
    }
  }
  return lines;
}
