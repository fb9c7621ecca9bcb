import type { Language } from './language.js';

/** A sentence cannot be read. `offset`: of the UTF-16 unit at which it goes wrong. */
export class SentenceError extends Error {
  readonly line: number;
  readonly column: number;

  constructor(
    text: string,
    readonly offset: number,
    problem: string,
  ) {
    const before = text.slice(0, offset).split('\n');
    const [line, column] = [before.length, (before.at(-1)?.length ?? 0) + 1];
    super(`line ${line}, column ${column} of the sentence: ${problem}`);
    this.name = 'SentenceError';
    this.line = line;
    this.column = column;
  }
}

/** As deep as conditions and JSON may be nested: rule files are not deeper. */
const MAX_DEPTH = 200;
const SHOWN = 30;

/** Goes through a sentence from its beginning to its end, and never back. */
export class Cursor {
  private at = 0;
  private depth = 0;

  constructor(
    private readonly text: string,
    readonly language: Language,
  ) {}

  get ended(): boolean {
    return this.at === this.text.length;
  }

  /** Whether this text comes next, and behind it what a sticky expression finds. */
  sees(text: string, behind?: RegExp): boolean {
    if (!this.text.startsWith(text, this.at)) return false;
    if (!behind) return true;
    behind.lastIndex = this.at + text.length;
    return behind.test(this.text);
  }

  /** Goes behind this text when it comes next. */
  skip(text: string): boolean {
    const seen = this.sees(text);
    if (seen) this.at += text.length;
    return seen;
  }

  /** @throws SentenceError when another text comes next */
  take(text: string): void {
    if (!this.skip(text)) this.fail(`${JSON.stringify(text)} belongs here`);
  }

  /** What a sticky expression finds here, and goes behind it; null: nothing. */
  match(expression: RegExp): string | null {
    expression.lastIndex = this.at;
    const found = expression.exec(this.text)?.[0];
    if (found === undefined) return null;
    this.at += found.length;
    return found;
  }

  /** Of the UTF-16 unit that comes next. */
  get offset(): number {
    return this.at;
  }

  /** What stands from an earlier place up to here. */
  since(offset: number): string {
    return this.text.slice(offset, this.at);
  }

  /** Reads something that may hold the like of itself. */
  within<Value>(read: () => Value): Value {
    if (this.depth >= MAX_DEPTH) this.fail(`it is nested deeper than ${MAX_DEPTH} levels`);
    this.depth += 1;
    const value = read();
    this.depth -= 1;
    return value;
  }

  fail(problem: string): never {
    const rest = this.text.slice(this.at, this.at + SHOWN);
    const instead = rest === '' ? 'the sentence has ended' : `there is ${JSON.stringify(rest)}`;
    throw new SentenceError(this.text, this.at, `${problem}, and ${instead}`);
  }
}
