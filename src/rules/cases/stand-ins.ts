import type { FieldDefinition } from '../../events/catalogue.js';
import { isObject } from '../../events/own-member.js';
import { type KeptValues, keptPartsOf } from './kept-values.js';
import { madeLike } from './stand-in-shape.js';

/** Where a value stands, as far as that says whether it tells of a person. */
export interface PersonalPlace {
  /** Null: nothing is known of it. */
  readonly field: FieldDefinition | null;
  /** What it stands in is personal. */
  readonly personal?: boolean;
  /** Texts of which nothing is known are replaced too, as in answers of look-ups. */
  readonly strangers?: boolean;
}

/** Texts so short stand in many places and tell nobody there. */
const SHORTEST_ELSEWHERE = 4;
const SHORTEST_ELSEWHERE_HAN = 2;
const HAN = /\p{Script=Han}/u;

/**
 * Replaces what tells of a person: the same value always by the same stand-in of the same shape, wherever it stands. What
 * a literal of a rule names stays as it is, and so do values of the catalogue's lists and booleans: they name nobody.
 * All values are learnt before the first is replaced, so that no stand-in is a value that somebody really has.
 */
export class StandIns {
  /** By the real text; null: it has none yet. */
  private readonly texts = new Map<string, string | null>();
  private readonly formats = new Map<string, FieldDefinition['format']>();
  private readonly numbers = new Map<number, number>();
  private readonly counts = new Map<string, number>();
  private readonly given = new Set<string>();
  private pattern: RegExp | null = null;

  constructor(private readonly kept: KeptValues) {}

  /** Notes what is personal in a value. */
  learn(value: unknown, place: PersonalPlace): void {
    this.walk(value, place, (leaf, at) => {
      if (this.isPersonal(leaf, at)) {
        if (typeof leaf === 'string' && !this.texts.has(leaf)) {
          this.texts.set(leaf, null);
          this.formats.set(leaf, at.field?.format);
          this.pattern = null;
        }
      }
      return leaf;
    });
  }

  /** A value with its stand-ins. */
  replace(value: unknown, place: PersonalPlace): unknown {
    return this.walk(value, place, (leaf, at) => {
      if (this.isPersonal(leaf, at)) {
        if (typeof leaf === 'number') return this.ofNumber(leaf, at.field?.format);
        if (typeof leaf === 'string') return this.ofText(leaf, at.field?.format);
      }
      return typeof leaf === 'string' ? this.within(leaf) : leaf;
    });
  }

  /** The same wherever it stands, of a value of which nothing else is known. */
  everywhere(value: unknown): unknown {
    return this.walk(value, { field: null }, (leaf) => (typeof leaf === 'string' ? this.within(leaf) : leaf));
  }

  private walk(
    value: unknown,
    place: PersonalPlace,
    leafOf: (leaf: unknown, at: PersonalPlace) => unknown,
  ): unknown {
    const { field } = place;
    const personal = place.personal === true || field?.personal === true;
    if (Array.isArray(value))
      return value.map((one) => this.walk(one, { ...place, field: field?.items ?? null, personal }, leafOf));
    if (!isObject(value)) return leafOf(value, { ...place, personal });
    const members = Object.entries(value).map(([name, one]) => {
      const fields = field?.fields;
      const known = fields && Object.hasOwn(fields, name) ? (fields[name] ?? null) : null;
      return [name, this.walk(one, { ...place, field: known, personal }, leafOf)] as const;
    });
    return Object.fromEntries(members);
  }

  private isPersonal(leaf: unknown, { field, personal, strangers }: PersonalPlace): boolean {
    if (typeof leaf !== 'string' && typeof leaf !== 'number') return false;
    if (leaf === '' || this.kept.values.has(leaf)) return false;
    if (field?.enum?.some(({ value }) => value === leaf)) return false;
    return personal === true || (strangers === true && field === null && typeof leaf === 'string');
  }

  private ofText(text: string, format?: FieldDefinition['format']): string {
    const known = this.texts.get(text);
    if (typeof known === 'string') return known;
    const made = this.fresh(text, format);
    this.texts.set(text, made);
    return made;
  }

  private fresh(text: string, format: FieldDefinition['format']): string {
    const parts = keptPartsOf(this.kept, text);
    for (;;) {
      const made = madeLike(text, parts, format, (kind) => this.next(kind));
      // Whoever really has this value would be told of; and no two may have the same.
      if (this.given.has(made) || this.texts.has(made) || this.kept.values.has(made)) continue;
      this.given.add(made);
      return made;
    }
  }

  private ofNumber(value: number, format: FieldDefinition['format']): number {
    const known = this.numbers.get(value);
    if (known !== undefined) return known;
    const digits = String(Math.trunc(Math.abs(value))).length;
    for (;;) {
      const made = Number(
        madeLike('1'.repeat(digits), { start: '', end: '', within: '' }, format, () =>
          this.next(`number of ${digits}`),
        ).replace(/^0/, '1'),
      );
      if (this.given.has(`number ${made}`) || this.kept.values.has(made) || made === value) continue;
      this.given.add(`number ${made}`);
      this.numbers.set(value, made);
      return made;
    }
  }

  private next(kind: string): number {
    const number = (this.counts.get(kind) ?? 0) + 1;
    this.counts.set(kind, number);
    return number;
  }

  /** A text that may hold personal values, or be one. */
  private within(text: string): string {
    if (this.kept.values.has(text)) return text;
    this.pattern ??= patternOf(this.texts.keys());
    return text.replace(this.pattern, (found) => this.ofText(found, this.formats.get(found)));
  }
}

/** Any of the texts, the longest first, not within a longer word. */
function patternOf(texts: Iterable<string>): RegExp {
  const long = [...texts].filter(
    (text) => text.length >= (HAN.test(text) ? SHORTEST_ELSEWHERE_HAN : SHORTEST_ELSEWHERE),
  );
  if (long.length === 0) return /(?!)/g;
  const any = long
    .sort((a, b) => b.length - a.length || (a < b ? -1 : 1))
    .map((text) => {
      const exact = text.replaceAll(/[$()*+./?[\\\]^{|}]/g, String.raw`\$&`);
      const before = /^\w/.test(text) ? String.raw`(?<![A-Za-z0-9_])` : '';
      return `${before}${exact}${/\w$/.test(text) ? String.raw`(?![A-Za-z0-9_])` : ''}`;
    });
  return new RegExp(any.join('|'), 'g');
}
