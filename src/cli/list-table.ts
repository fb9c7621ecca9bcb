import Table from 'cli-table3';
import { displayWidth } from '../config/terminal-text.js';
import { inColour, pc } from './colours.js';
import { uncoloured, wrapped } from './wrapped-text.js';

export interface Column<T> {
  /** English and Chinese. */
  readonly head: string;
  readonly text: (row: T) => string;
  /** What has no room is broken into lines, unless the column is for copying. */
  readonly whole?: boolean;
}

const GAP = 2;
const LEAST = 8;
/** The columns that the terminal has. */
export function terminalWidth(): number {
  return Math.max(process.stdout.columns || 100, 40);
}

/** A list as a table without lines, page after page in the same columns. */
export class ListTable<T> {
  private widths: readonly number[] | null = null;

  constructor(
    private readonly columns: readonly Column<T>[],
    private readonly width = terminalWidth(),
  ) {}

  /** The rows; the first time under the heads. */
  page(rows: readonly T[]): string {
    const cells = rows.map((row) => this.columns.map(({ text }) => text(row)));
    const first = this.widths === null;
    const heads = this.columns.map(({ head }) => head.split('\n').map(pc.bold).join('\n'));
    this.widths ??= this.fitted([heads, ...cells]);
    return [...(first ? [heads] : []), ...cells].map((row) => this.lines(row)).join('');
  }

  private lines(row: readonly string[]): string {
    const columns = row.map((text, at) => wrapped(text, this.widths?.[at] ?? 0));
    const height = Math.max(...columns.map((lines) => lines.length));
    const lines: string[] = [];
    for (let at = 0; at < height; at += 1) {
      const parts = columns.map((column, index) =>
        padded(column[at] ?? '', (this.widths?.[index] ?? 0) + GAP),
      );
      lines.push(`${parts.join('').trimEnd()}\n`);
    }
    return lines.join('');
  }

  /** Each as wide as its widest text; then the widest give way until all fit. */
  private fitted(cells: readonly (readonly string[])[]): number[] {
    const widths = this.columns.map((_, at) =>
      Math.max(...cells.flatMap((row) => (row[at] ?? '').split('\n').map(widthOf))),
    );
    for (;;) {
      const over = widths.reduce((sum, one) => sum + one + GAP, -GAP) - this.width;
      const able = widths.flatMap((one, at) =>
        this.columns[at]?.whole === true || one <= LEAST ? [] : [at],
      );
      const [widest] = able.sort((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0));
      if (over <= 0 || widest === undefined) return widths;
      widths[widest] = (widths[widest] ?? 0) - 1;
    }
  }
}

/** One thing as a table of two columns: what, and how it is. */
export function thingTable(rows: readonly (readonly [string, string])[]): string {
  const first = Math.max(12, ...rows.map(([head]) => displayWidth(head) + 2));
  const second = Math.max(28, terminalWidth() - first - 3);
  const table = new Table({
    style: { head: [], border: inColour ? ['gray'] : [] },
    colWidths: [first, second],
  });
  // Its own way to break lines loses some of what is wide.
  table.push(...rows.map(([head, text]) => [head, wrapped(text, second - 2).join('\n')]));
  return table.toString();
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

function widthOf(text: string): number {
  return displayWidth(uncoloured(text));
}
