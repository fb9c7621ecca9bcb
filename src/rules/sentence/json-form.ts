import type { Cursor } from './cursor.js';
import type { Form } from './form.js';

const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const PLAIN = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const BETWEEN = /[^"[\]{}]*/y;

/**
 * JSON on one line, with its keys in order: equal values have equal texts. What cannot be seen, or would turn the
 * direction of writing, stands as an escape.
 */
export function jsonText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jsonText).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, one]) => one !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([key, one]) => `${jsonText(key)}: ${jsonText(one)}`).join(', ')}}`;
  }
  // JSON.stringify writes 0 for it.
  if (Object.is(value, -0)) return '-0';
  return JSON.stringify(value).replace(INVISIBLE, escaped);
}

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, at) => {
    const unit = character.charCodeAt(at);
    return `\\u${unit.toString(16).padStart(4, '0')}`;
  }).join('');
}

/** The JSON value that comes next. */
export function readJson(from: Cursor): unknown {
  const start = from.offset;
  if (from.match(PLAIN) === null) skipNested(from);
  const text = from.since(start);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return from.fail(`before this, ${JSON.stringify(text.slice(0, 60))} is no JSON`);
  }
}

/** Goes behind a string, an object or a list. */
function skipNested(from: Cursor): void {
  let open = 0;
  do {
    if (from.match(STRING) === null) {
      if (from.skip('{') || from.skip('[')) open += 1;
      else if (open > 0 && (from.skip('}') || from.skip(']'))) open -= 1;
      else from.fail('a JSON value belongs here');
    }
    if (open > 0) from.match(BETWEEN);
  } while (open > 0);
}

/** Any value, as JSON. */
export const json: Form<unknown> = { write: jsonText, read: readJson };

/** A text, as JSON. */
export const text: Form<string> = {
  write: jsonText,
  read: (from) => {
    const value = from.sees('"') ? readJson(from) : null;
    return typeof value === 'string' ? value : from.fail('a text in quotes belongs here');
  },
};

/** An object, as JSON. */
export function object<Value extends object>(): Form<Value> {
  return {
    write: jsonText,
    read: (from) => (from.sees('{') ? (readJson(from) as Value) : from.fail('a JSON object belongs here')),
  };
}

/** A number, as JSON. */
export const number: Form<number> = {
  write: jsonText,
  read: (from) => {
    const value = from.sees('"') ? null : readJson(from);
    return typeof value === 'number' ? value : from.fail('before this a number belongs');
  },
};

const WORD = /\w(?:[\w.:*+/-]*[\w*])?/y;
const WHOLE_WORD = /^\w(?:[\w.:*+/-]*[\w*])?$/;

/** A text that is a name: as it is when it is a plain word, else as JSON. */
export const word: Form<string> = {
  write: (value) => (WHOLE_WORD.test(value) ? value : jsonText(value)),
  read: (from) => (from.sees('"') ? text.read(from) : (from.match(WORD) ?? from.fail('a name belongs here'))),
};
