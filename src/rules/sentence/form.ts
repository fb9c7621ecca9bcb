import type { Cursor } from './cursor.js';
import type { Language, Texts, Wording } from './language.js';

/** A way to write a value, and to read what was written: `read(write(value))` is the value. */
export interface Form<Value> {
  write(value: Value, by: Wording): string;
  /** @throws SentenceError */
  read(from: Cursor): Value;
}

/** A way to write some members of a document, or nothing when they are not there. */
export interface Clause<Document> {
  write(document: Document, by: Wording): string;
  read(from: Cursor): Partial<Document>;
  /** Whether it comes next. */
  comes(from: Cursor): boolean;
}

type Given<Value> = Exclude<Value, undefined>;
type Slots<Document, Key extends keyof Document> = {
  readonly [One in Key]: Form<Given<Document[One]>>;
};
type Piece = { readonly text: string } | { readonly slot: string };

/** Clauses of one kind of document. All but those of `sure` begin with a text that no other clause behind it begins with. */
export interface Clauses<Document> {
  /** What is always said: a text for each language, with a `{key}` for each member. */
  sure<Key extends keyof Document & string>(texts: Texts, slots: Slots<Document, Key>): Clause<Document>;
  /** The same, said when its first member is there. */
  said<Key extends keyof Document & string>(texts: Texts, slots: Slots<Document, Key>): Clause<Document>;
  /** Said when a member has this very value. */
  when<Key extends keyof Document & string>(key: Key, value: Document[Key], texts: Texts): Clause<Document>;
  /** Another clause about a member; not said when the member has its default, which is a plain value or an empty object. */
  unless<Key extends keyof Document & string>(
    key: Key,
    usual: Document[Key],
    clause: Clause<Document>,
  ): Clause<Document>;
}

/** The clauses of a kind of document. */
export function clausesOf<Document extends object>(): Clauses<Document> {
  const phrase = (texts: Texts, slots: object, always: boolean): Clause<Document> =>
    new Phrase<Document>(
      { zh: piecesOf(texts.zh), en: piecesOf(texts.en) },
      slots as Readonly<Record<string, Form<unknown>>>,
      always,
    );
  return {
    sure: (texts, slots) => phrase(texts, slots, true),
    said: (texts, slots) => phrase(texts, slots, false),
    when: (key, value, texts) => ({
      write: (document, { language }) => (document[key] === value ? texts[language] : ''),
      read: (from) => (from.skip(texts[from.language]) ? only<Document>(key, value) : {}),
      comes: (from) => from.sees(texts[from.language]),
    }),
    unless: (key, usual, clause) => ({
      write: (document, by) => (isAlike(document[key], usual) ? '' : clause.write(document, by)),
      read: (from) => ({ ...only<Document>(key, usual), ...clause.read(from) }),
      comes: (from) => clause.comes(from),
    }),
  };
}

function only<Document>(key: string, value: unknown): Partial<Document> {
  return { [key]: value } as unknown as Partial<Document>;
}

function isAlike(value: unknown, usual: unknown): boolean {
  const isEmpty = (one: unknown): boolean =>
    typeof one === 'object' && one !== null && Object.keys(one).length === 0;
  return value === usual || (isEmpty(value) && isEmpty(usual));
}

/** All clauses one after the other. */
export function record<Document extends object>(clauses: readonly Clause<Document>[]): Form<Document> {
  return {
    write: (document, by) => clauses.map((clause) => clause.write(document, by)).join(''),
    read: (from) => Object.assign({}, ...clauses.map((clause) => clause.read(from))) as Document,
  };
}

/** Clauses of which one is said: the first that fits the document. */
export function either<Document extends object>(
  variants: readonly (readonly [fits: (document: Document) => boolean, clause: Clause<Document>])[],
): Clause<Document> {
  return {
    write: (document, by) => variants.find(([fits]) => fits(document))?.[1].write(document, by) ?? '',
    read: (from) => variants.find(([, clause]) => clause.comes(from))?.[1].read(from) ?? {},
    comes: (from) => variants.some(([, clause]) => clause.comes(from)),
  };
}

class Phrase<Document extends object> implements Clause<Document> {
  private readonly first: string;

  constructor(
    private readonly pieces: Readonly<Record<Language, readonly Piece[]>>,
    private readonly slots: Readonly<Record<string, Form<unknown>>>,
    private readonly always: boolean,
  ) {
    this.first = Object.keys(slots)[0] ?? '';
  }

  write(document: Document, by: Wording): string {
    const values = document as Readonly<Record<string, unknown>>;
    if (!this.always && values[this.first] === undefined) return '';
    return this.pieces[by.language]
      .map((piece) => ('text' in piece ? piece.text : this.formOf(piece.slot).write(values[piece.slot], by)))
      .join('');
  }

  read(from: Cursor): Partial<Document> {
    if (!this.always && !this.comes(from)) return {};
    const values: Record<string, unknown> = {};
    for (const piece of this.pieces[from.language]) {
      if ('text' in piece) from.take(piece.text);
      else values[piece.slot] = this.formOf(piece.slot).read(from);
    }
    return values as Partial<Document>;
  }

  comes(from: Cursor): boolean {
    const [opening] = this.pieces[from.language];
    return opening !== undefined && 'text' in opening && from.sees(opening.text);
  }

  private formOf(slot: string): Form<unknown> {
    const form = this.slots[slot];
    if (!form) throw new Error(`there is no form for {${slot}}`);
    return form;
  }
}

function piecesOf(text: string): readonly Piece[] {
  return text
    .split(/(\{\w+\})/)
    .filter((piece) => piece !== '')
    .map((piece) => (/^\{\w+\}$/.test(piece) ? { slot: piece.slice(1, -1) } : { text: piece }));
}

/** One of some values, each by a text of its own. No text is the beginning of another that stands behind it. */
export function choice<Value extends string | boolean>(
  texts: readonly (readonly [Value, Texts])[],
): Form<Value> {
  return {
    write: (value, { language }) => {
      const known = texts.find(([one]) => one === value);
      if (!known) throw new Error(`there are no words for ${JSON.stringify(value)}`);
      return known[1][language];
    },
    read: (from) => {
      const found = texts.find(([, text]) => from.skip(text[from.language]));
      return (
        found?.[0] ??
        from.fail(`${texts.map(([, text]) => JSON.stringify(text[from.language])).join(' or ')} belongs here`)
      );
    },
  };
}

/** Several of a kind, with something between them; none at all: `[]`. */
export function listOf<Value>(
  one: Form<Value>,
  between: Texts,
  /** What comes behind `between` when there is another, as a sticky expression; absent: anything does. */
  goesOn?: RegExp,
): Form<readonly Value[]> {
  return {
    write: (values, by) =>
      values.length === 0 ? '[]' : values.map((value) => one.write(value, by)).join(between[by.language]),
    read: (from) => {
      if (from.skip('[]')) return [];
      const separator = between[from.language];
      const values = [one.read(from)];
      while (from.sees(separator, goesOn)) {
        from.take(separator);
        values.push(one.read(from));
      }
      return values;
    },
  };
}

/** Between the entries of a list. */
export const COMMA: Texts = { zh: '、', en: ', ' };
