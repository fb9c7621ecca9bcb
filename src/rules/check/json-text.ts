import { type Node, type ParseError, parseTree } from 'jsonc-parser';

/** A value or a key in a JSON text, with its place. */
export type JsonNode = Node;

/** A stretch of a text: where it begins and how many characters it has. */
export interface Place {
  readonly offset: number;
  readonly length: number;
}

export interface JsonMistake extends Place {
  readonly code: 'JSON_INVALID' | 'JSON_KEY_TWICE' | 'JSON_NUMBER_UNSAFE';
  readonly message: string;
  readonly mend: string;
}

/** Deeper JSON is refused before anything that recurses sees it. */
const MAX_DEPTH = 100;

/** A JSON text that knows where in it each value stands. */
export class JsonText {
  private lineStarts: readonly number[] | null = null;

  private constructor(
    private readonly text: string,
    /** Undefined when the text cannot be read as a whole. Mistakes that leave no doubt what is meant do not stop it. */
    readonly root: JsonNode | undefined,
    readonly mistakes: readonly JsonMistake[],
    /** Numbers that lose digits: they are reported once, and not also as being of the wrong type. */
    readonly unsafe: ReadonlySet<JsonNode>,
  ) {}

  static parse(given: string): JsonText {
    const text = given.startsWith('\ufeff') ? given.slice(1) : given;
    const tooDeep = offsetDeeperThan(text, MAX_DEPTH);
    if (tooDeep !== null) {
      const message = `the JSON is nested deeper than ${MAX_DEPTH} levels`;
      return broken(text, [invalid({ offset: tooDeep, length: 1 }, message, 'Write it flatter.')]);
    }
    const errors: ParseError[] = [];
    const root = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
    if (text.trim() === '') {
      const mend = 'Write a rule, or remove the file.';
      return broken(text, [invalid({ offset: 0, length: 0 }, 'the file is empty', mend)]);
    }
    const { mistakes, readable } = syntaxMistakes(text, errors);
    if (!root || !readable) return broken(text, mistakes);
    const unsafe = new Set<JsonNode>();
    examine(root, text, mistakes, unsafe);
    return new JsonText(text, root, mistakes, unsafe);

    function broken(of: string, found: readonly JsonMistake[]): JsonText {
      return new JsonText(of, undefined, found, new Set());
    }
  }

  /** Line and column, both from 1. */
  positionOf(offset: number): { readonly line: number; readonly column: number } {
    this.lineStarts ??= startsOfLines(this.text);
    let low = 0;
    let high = this.lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.lineStarts[low] ?? 0) + 1 };
  }
}

function invalid(place: Place, message: string, mend: string): JsonMistake {
  return { code: 'JSON_INVALID', offset: place.offset, length: place.length, message, mend };
}

function startsOfLines(text: string): number[] {
  const starts = [0];
  for (const { 0: end, index } of text.matchAll(/\r\n|\r|\n/g)) starts.push(index + end.length);
  return starts;
}

/**
 * The parser goes on after a mistake and then stumbles over what follows from it. Where it is sure what was meant (a
 * comment, one comma too many or missing, a wrong character in a text), each mistake is reported and reading goes on;
 * of anything else the first is reported and the rest is noise.
 */
function syntaxMistakes(
  text: string,
  errors: readonly ParseError[],
): { mistakes: JsonMistake[]; readable: boolean } {
  const mistakes: JsonMistake[] = [];
  for (const [index, error] of errors.entries()) {
    if (errors[index - 1]?.offset === error.offset) continue;
    const cascades = errors[index + 1]?.offset === error.offset;
    const clear = clearMistake(text, error, cascades);
    if (clear) {
      mistakes.push(clear);
      continue;
    }
    mistakes.push(unclearMistake(text, error));
    return { mistakes, readable: false };
  }
  return { mistakes, readable: true };
}

function clearMistake(text: string, error: ParseError, cascades: boolean): JsonMistake | null {
  const { offset } = error;
  const code: number = error.error;
  const before = text.slice(Math.max(0, offset - 1000), offset).trimEnd();
  if (code === CODES.invalidCommentToken)
    return invalid(error, 'JSON has no comments', 'Remove it, or write it into "description".');
  if (code === CODES.commaExpected && !cascades && /["{[\dtfn-]/.test(text[offset] ?? ''))
    return invalid(error, 'a comma is missing', 'Write "," before it.');
  if (
    (code === CODES.valueExpected || code === CODES.propertyNameExpected) &&
    /[}\]]/.test(text[offset] ?? '') &&
    /[^,[{\s]\s*,$/.test(before)
  ) {
    const comma = text.lastIndexOf(',', offset);
    return invalid({ offset: comma, length: 1 }, 'there is a comma behind the last entry', 'Remove it.');
  }
  const inText = IN_TEXTS[code];
  return inText === undefined ? null : invalid(error, inText[0], inText[1]);
}

/** The parser's codes: its enumeration is a const one, which is not there at run time. */
const CODES = {
  invalidSymbol: 1,
  propertyNameExpected: 3,
  valueExpected: 4,
  commaExpected: 6,
  endOfFileExpected: 9,
  invalidCommentToken: 10,
  unexpectedEndOfString: 12,
} as const;

const IN_TEXTS: Readonly<Record<number, readonly [string, string]>> = {
  14: [
    'this \\u is not followed by four hexadecimal digits',
    'Write it like \\u00e9, or write the character itself.',
  ],
  15: ['the text holds a "\\" that begins nothing', 'Write "\\\\" for a backslash.'],
  16: ['the text holds a tab or another control character', 'Write \\t for a tab, \\n for a new line.'],
};

const EXPECTED: Readonly<Record<number, string>> = {
  1: 'this cannot be read',
  2: 'this is no number',
  3: 'a key in double quotes belongs here',
  4: 'a value belongs here',
  5: 'a ":" belongs here',
  6: 'a comma or the end of the object or list belongs here',
  7: 'a "}" is missing',
  8: 'a "]" is missing',
  9: 'the JSON has ended before this',
  11: 'the comment is never closed',
  12: 'the text is not closed on its line',
  13: 'this is no number',
};

/** Characters that Chinese keyboards type, and what JSON wants. */
const FULL_WIDTH: Readonly<Record<string, string>> = {
  '，': ',',
  '、': ',',
  '：': ':',
  '“': '"',
  '”': '"',
  '｛': '{',
  '｝': '}',
  '［': '[',
  '］': ']',
  '【': '[',
  '】': ']',
};

function unclearMistake(text: string, error: ParseError): JsonMistake {
  const code: number = error.error;
  const token = text.slice(error.offset, error.offset + error.length);
  const wide = Array.from(token).find((character) => Object.hasOwn(FULL_WIDTH, character));
  const what = `this is no JSON: ${EXPECTED[code] ?? 'it cannot be read'}`;
  if (wide !== undefined)
    return invalid(
      error,
      `${what}: "${wide}" is a full-width character`,
      `Write ${FULL_WIDTH[wide] ?? ''} instead.`,
    );
  if (code === CODES.invalidSymbol && token.startsWith("'"))
    return invalid(error, `${what}: ${token}`, 'Write texts and keys in double quotes.');
  if (code === CODES.unexpectedEndOfString)
    return invalid(error, what, 'Close it with a double quote; write \\n for a new line, \\" for a quote.');
  if (code === CODES.endOfFileExpected)
    return invalid(error, what, 'Remove what follows; several rules stand in one list [ … ].');
  return invalid(error, what, 'Mend it here or just before.');
}

/** Keys that stand twice and numbers that lose digits. */
function examine(root: JsonNode, text: string, mistakes: JsonMistake[], unsafe: Set<JsonNode>): void {
  const waiting = [root];
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if (node.type === 'number') {
      const literal = text.slice(node.offset, node.offset + node.length);
      if (!isExact(literal, node.value as number)) {
        unsafe.add(node);
        mistakes.push({
          code: 'JSON_NUMBER_UNSAFE',
          offset: node.offset,
          length: node.length,
          message: `the number ${literal.slice(0, 60)} loses digits: it would be read as ${String(node.value)}`,
          mend: `Write it as a text: "${literal.slice(0, 60)}".`,
        });
      }
    }
    if (node.type === 'object') reportKeysTwice(node, mistakes);
    // Not by spreading: a list may have more elements than a call may have arguments.
    for (const child of node.children ?? []) waiting.push(child);
  }
}

function reportKeysTwice(node: JsonNode, mistakes: JsonMistake[]): void {
  const seen = new Set<unknown>();
  for (const property of node.children ?? []) {
    const key = property.children?.[0];
    if (!key) continue;
    if (seen.has(key.value)) {
      mistakes.push({
        code: 'JSON_KEY_TWICE',
        offset: key.offset,
        length: key.length,
        message: `the key "${String(key.value)}" stands twice in one object`,
        mend: 'Remove one of the two: only the last would count.',
      });
    }
    seen.add(key.value);
  }
}

/** Whether a number keeps all the digits it is written with, and no other number is read as the same one. */
function isExact(literal: string, value: number): boolean {
  // 15 digits always survive.
  if (literal.length <= 15 && !/[eE]/.test(literal)) return true;
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) return false;
  return digitsOf(literal) === digitsOf(String(value));
}

/** A number's digits and their weight, however it is written: `-1.50e3` → `-15e2`. */
function digitsOf(literal: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal) ?? [];
  const all = `${whole}${fraction}`.replace(/^0+/, '');
  const digits = all.replace(/0+$/, '');
  return digits === ''
    ? `${sign}0`
    : `${sign}${digits}e${Number(exponent) - fraction.length + all.length - digits.length}`;
}

/** Where the text is first nested deeper than `limit`: the parser recurses and must not be asked. */
function offsetDeeperThan(text: string, limit: number): number | null {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const c = text.charCodeAt(at);
    if (c === 0x22) {
      for (at += 1; at < text.length; at += 1) {
        const inside = text.charCodeAt(at);
        if (inside === 0x5c) at += 1;
        else if (inside === 0x22 || inside === 0x0a) break;
      }
    } else if (c === 0x7b || c === 0x5b) {
      depth += 1;
      if (depth > limit) return at;
    } else if (c === 0x7d || c === 0x5d) depth -= 1;
  }
  return null;
}
