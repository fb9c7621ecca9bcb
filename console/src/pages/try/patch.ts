// A file, edited, as a patch that `git apply` takes. Git's lines end with \n alone; what stands before it is theirs.

/** So many lines stand around what changed, as git shows it. */
const CONTEXT = 3;
/** So many pairs of lines are compared; beyond that, what differs is one change. */
const MOST_PAIRS = 4_000_000;

interface Step {
  readonly kind: ' ' | '-' | '+';
  /** With its end, if it has one. */
  readonly line: string;
}

/**
 * The unified diff of a file against what it is to hold; `before` null: it is new. Empty when nothing changed. The path is
 * relative to the folder in which, or with the `--directory` of which, it is applied.
 */
export function patchOf(path: string, before: string | null, after: string): string {
  if (before === after) return '';
  const [from, to] = [quoted(`a/${path}`), quoted(`b/${path}`)];
  const head = `diff --git ${from} ${to}\n${before === null ? 'new file mode 100644\n' : ''}`;
  // What is empty has no lines to tell of; an index makes it a patch all the same.
  if (before === null && after === '') return `${head}index 0000000..e69de29\n`;
  const names = `--- ${before === null ? '/dev/null' : ended(from)}\n+++ ${ended(to)}\n`;
  return head + names + hunksOf(stepsOf(linesOf(before ?? ''), linesOf(after)));
}

/** How many lines a patch adds and takes out. */
export function sizeOf(
  before: string | null,
  after: string,
): { readonly added: number; readonly removed: number } {
  const steps = stepsOf(linesOf(before ?? ''), linesOf(after));
  const count = (kind: Step['kind']): number => steps.filter((step) => step.kind === kind).length;
  return { added: count('+'), removed: count('-') };
}

/**
 * A text of an editor, whose lines all end with \n, with the line ends of the file that it was edited from: lines that stayed
 * keep theirs, new ones end like the first of the file.
 */
export function inLineEndsOf(file: string, edited: string): string {
  if (!file.includes('\r')) return edited;
  const lines = file.match(/[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$/g) ?? [];
  const end = /\r\n|\r|\n/.exec(file)?.[0] ?? '\n';
  const plain = lines.map((line) => line.replace(/(?:\r\n|\r)$/, '\n'));
  let at = 0;
  const kept = stepsOf(plain, linesOf(edited))
    .map(({ kind, line }) => {
      if (kind === '+') return line.replace(/\n$/, end);
      at += 1;
      return kind === '-' ? '' : (lines[at - 1] ?? line);
    })
    .join('');
  // A lone \r before a line that is empty would become one end with it.
  return inPlainLineEnds(kept) === edited ? kept : edited.replaceAll('\n', end);
}

/** As an editor has it: whichever ends the lines had, they end with \n. */
export function inPlainLineEnds(text: string): string {
  return text.replace(/\r\n?/g, '\n');
}

function linesOf(text: string): readonly string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/** The longest sequence of lines that both have stays. */
function stepsOf(before: readonly string[], after: readonly string[]): readonly Step[] {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < most - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  return [
    ...as(' ', before.slice(0, start)),
    ...changesOf(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...as(' ', before.slice(before.length - end)),
  ];
}

function as(kind: Step['kind'], lines: readonly string[]): readonly Step[] {
  return lines.map((line) => ({ kind, line }));
}

function changesOf(before: readonly string[], after: readonly string[]): readonly Step[] {
  if (before.length * after.length > MOST_PAIRS) return [...as('-', before), ...as('+', after)];
  const width = after.length + 1;
  /** At `x * width + y`: how many lines are common from `x` and `y` on. */
  const common = new Uint32Array((before.length + 1) * width);
  for (let x = before.length - 1; x >= 0; x -= 1)
    for (let y = after.length - 1; y >= 0; y -= 1) {
      const at = x * width + y;
      common[at] =
        before[x] === after[y]
          ? (common[at + width + 1] ?? 0) + 1
          : Math.max(common[at + width] ?? 0, common[at + 1] ?? 0);
    }
  const steps: Step[] = [];
  let [x, y] = [0, 0];
  while (x < before.length && y < after.length) {
    const at = x * width + y;
    const [removed = '', added = ''] = [before[x], after[y]];
    if (removed === added) {
      steps.push({ kind: ' ', line: removed });
      [x, y] = [x + 1, y + 1];
    } else if ((common[at + width] ?? 0) >= (common[at + 1] ?? 0)) {
      steps.push({ kind: '-', line: removed });
      x += 1;
    } else {
      steps.push({ kind: '+', line: added });
      y += 1;
    }
  }
  return [...steps, ...as('-', before.slice(x)), ...as('+', after.slice(y))];
}

/** The changes with the lines around them; those that are near each other are told together. */
function hunksOf(steps: readonly Step[]): string {
  const changed = steps.flatMap(({ kind }, at) => (kind === ' ' ? [] : [at]));
  const spans: { from: number; to: number }[] = [];
  for (const at of changed) {
    const last = spans.at(-1);
    if (last && at - CONTEXT <= last.to) last.to = at + CONTEXT + 1;
    else spans.push({ from: Math.max(0, at - CONTEXT), to: at + CONTEXT + 1 });
  }
  let [x, y, seen] = [0, 0, 0];
  return spans
    .map(({ from, to }) => {
      // Between two spans nothing changed.
      [x, y] = [x + from - seen, y + from - seen];
      const own = steps.slice(from, to);
      seen = from + own.length;
      const old = own.filter(({ kind }) => kind !== '+').length;
      const now = own.filter(({ kind }) => kind !== '-').length;
      const head = `@@ -${rangeOf(x, old)} +${rangeOf(y, now)} @@\n`;
      [x, y] = [x + old, y + now];
      return head + own.map(({ kind, line }) => kind + withEnd(line)).join('');
    })
    .join('');
}

/** From which line, and how many; of none, the line before. */
function rangeOf(before: number, count: number): string {
  return `${count === 0 ? before : before + 1},${count}`;
}

function withEnd(line: string): string {
  return line.endsWith('\n') ? line : `${line}\n\\ No newline at end of file\n`;
}

/** A name with a blank ends with a tab, or git takes the rest of the line for a date. */
function ended(name: string): string {
  return name.includes(' ') && !name.startsWith('"') ? `${name}\t` : name;
}

const NAMED: Readonly<Record<string, string>> = { '\n': 'n', '\t': 't', '\r': 'r', '"': '"', '\\': '\\' };

/** As git writes names with characters that would end them. */
function quoted(name: string): string {
  if (!/[\p{Cc}"\\]/u.test(name)) return name;
  const text = name.replace(/[\p{Cc}"\\]/gu, (one) => {
    const short = NAMED[one];
    return `\\${short ?? (one.codePointAt(0) ?? 0).toString(8).padStart(3, '0')}`;
  });
  return `"${text}"`;
}
