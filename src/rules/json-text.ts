import { findNodeAtLocation, type Node, parseTree, type ParseError, printParseErrorCode } from 'jsonc-parser';

export interface JsonMistake {
  readonly code: 'JSON_INVALID' | 'JSON_KEY_TWICE';
  readonly offset: number;
  readonly message: string;
  readonly mend: string;
}

const MAX_DEPTH = 100;

/** A JSON text that knows where in it each value stands. */
export class JsonText {
  private constructor(
    private readonly text: string,
    private readonly root: Node | undefined,
    /** The value; undefined when there are mistakes. */
    readonly value: unknown,
    readonly mistakes: readonly JsonMistake[],
  ) {}

  static parse(text: string): JsonText {
    if (nestedDeeperThan(text, MAX_DEPTH)) {
      const mistake = {
        code: 'JSON_INVALID',
        offset: 0,
        message: `the JSON is nested deeper than ${MAX_DEPTH} levels`,
        mend: 'Write it flatter.',
      } as const;
      return new JsonText(text, undefined, undefined, [mistake]);
    }
    const errors: ParseError[] = [];
    const root = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
    const mistakes: JsonMistake[] = errors.map(({ error, offset }) => ({
      code: 'JSON_INVALID',
      offset,
      message: `this is no JSON: ${sentence(printParseErrorCode(error))}`,
      mend: 'Mend it here or just before.',
    }));
    if (root === undefined && mistakes.length === 0) {
      mistakes.push({
        code: 'JSON_INVALID',
        offset: 0,
        message: 'the file is empty',
        mend: 'Write a rule, or remove the file.',
      });
    }
    if (root && mistakes.length === 0) mistakes.push(...keysTwice(root));
    return new JsonText(
      text,
      root,
      mistakes.length === 0 ? (JSON.parse(text) as unknown) : undefined,
      mistakes,
    );
  }

  /** Where the value at `path` stands, or its nearest parent that exists. */
  offsetOf(path: readonly (string | number)[]): number {
    for (let length = path.length; this.root && length >= 0; length -= 1) {
      const node = findNodeAtLocation(this.root, path.slice(0, length));
      if (node) return node.offset;
    }
    return 0;
  }

  /** Where the key at `path` stands, rather than its value. */
  offsetOfKey(path: readonly (string | number)[]): number {
    const node = this.root && findNodeAtLocation(this.root, [...path]);
    return node?.parent?.type === 'property' ? node.parent.offset : this.offsetOf(path);
  }

  /** Line and column, both from 1. */
  positionOf(offset: number): { line: number; column: number } {
    const before = this.text.slice(0, offset);
    const lines = before.split(/\r\n|\r|\n/);
    return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
  }
}

function sentence(code: string): string {
  return code.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
}

function keysTwice(root: Node): JsonMistake[] {
  const mistakes: JsonMistake[] = [];
  const waiting = [root];
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    const seen = new Set<unknown>();
    for (const child of node.children ?? []) {
      if (node.type === 'object') {
        const key = child.children?.[0];
        if (key && seen.has(key.value)) {
          mistakes.push({
            code: 'JSON_KEY_TWICE',
            offset: key.offset,
            message: `the key "${String(key.value)}" stands twice in one object`,
            mend: 'Remove one of the two: only the last would count.',
          });
        }
        seen.add(key?.value);
      }
      waiting.push(child);
    }
  }
  return mistakes;
}

/** The parser recurses: what is nested too deep is found before it is asked. */
function nestedDeeperThan(text: string, limit: number): boolean {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const c = text[at];
    if (quoted) {
      if (c === '\\') at += 1;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === '{' || c === '[') {
      depth += 1;
      if (depth > limit) return true;
    } else if (c === '}' || c === ']') depth -= 1;
  }
  return false;
}
