/** A stretch of two texts: in both, in the earlier one only, or in the later one only. */
export interface DiffPiece {
  readonly kind: 'same' | 'removed' | 'added';
  readonly text: string;
}

/** Words of Latin letters with what belongs to them; blanks; any other character alone, a Chinese one too. */
const WORD = /[\p{Script=Latin}\p{N}_](?:[\p{Script=Latin}\p{N}_.@/-]*[\p{Script=Latin}\p{N}_])?|[ \t]+|./gsu;
const BLANK = /^[ \t]*$/;
/** So many pairs of words are compared; beyond that, what differs is told as one change. */
const MOST_PAIRS = 4_000_000;

/**
 * What changed from one text to another, word by word. The pieces but those added make the earlier text, the pieces but
 * those removed the later one.
 */
export function diffWords(before: string, after: string): readonly DiffPiece[] {
  const [one, other] = [wordsOf(before), wordsOf(after)];
  const most = Math.min(one.length, other.length);
  let start = 0;
  while (start < most && one[start] === other[start]) start += 1;
  let end = 0;
  while (end < most - start && one.at(-1 - end) === other.at(-1 - end)) end += 1;
  return inStretches([
    ...as('same', one.slice(0, start)),
    ...changesOf(one.slice(start, one.length - end), other.slice(start, other.length - end)),
    ...as('same', one.slice(one.length - end)),
  ]);
}

const wordsOf = (text: string): readonly string[] => text.match(WORD) ?? [];

function as(kind: DiffPiece['kind'], words: readonly string[]): readonly DiffPiece[] {
  return words.map((text) => ({ kind, text }));
}

/** By the longest sequence of words that both have. */
function changesOf(one: readonly string[], other: readonly string[]): readonly DiffPiece[] {
  if (one.length * other.length > MOST_PAIRS) return [...as('removed', one), ...as('added', other)];
  const width = other.length + 1;
  /** At `x * width + y`: how many words the texts have in common from their words `x` and `y` on. */
  const common = new Uint32Array((one.length + 1) * width);
  for (let x = one.length - 1; x >= 0; x -= 1) {
    for (let y = other.length - 1; y >= 0; y -= 1) {
      const at = x * width + y;
      common[at] =
        one[x] === other[y]
          ? (common[at + width + 1] ?? 0) + 1
          : Math.max(common[at + width] ?? 0, common[at + 1] ?? 0);
    }
  }
  const pieces: DiffPiece[] = [];
  let [x, y] = [0, 0];
  while (x < one.length && y < other.length) {
    const at = x * width + y;
    const [text = '', added = ''] = [one[x], other[y]];
    if (text === added) {
      pieces.push({ kind: 'same', text });
      [x, y] = [x + 1, y + 1];
    } else if ((common[at + width] ?? 0) >= (common[at + 1] ?? 0)) {
      pieces.push({ kind: 'removed', text });
      x += 1;
    } else {
      pieces.push({ kind: 'added', text: added });
      y += 1;
    }
  }
  return [...pieces, ...as('removed', one.slice(x)), ...as('added', other.slice(y))];
}

/** Neighbours as one piece, what is removed before what is added; blanks alone do not part two changes. */
function inStretches(words: readonly DiffPiece[]): readonly DiffPiece[] {
  const pieces: DiffPiece[] = [];
  let [removed, added, between] = ['', '', ''];
  const close = (): void => {
    if (removed !== '') pieces.push({ kind: 'removed', text: removed });
    if (added !== '') pieces.push({ kind: 'added', text: added });
    [removed, added] = ['', ''];
    if (between !== '') pieces.push({ kind: 'same', text: between });
    between = '';
  };
  for (const { kind, text } of words) {
    if (kind === 'same') {
      between += text;
      continue;
    }
    if (BLANK.test(between) && (removed !== '' || added !== '')) {
      removed += between;
      added += between;
      between = '';
    } else if (between !== '') close();
    if (kind === 'removed') removed += text;
    else added += text;
  }
  close();
  return pieces;
}
