import type { ConditionDocument, LeafDocument } from '../condition-document.js';
import type { Cursor } from './cursor.js';
import type { Form } from './form.js';
import { text } from './json-form.js';
import type { Language, Texts, Wording } from './language.js';
import { operator } from './operator-form.js';
import { place } from './place-form.js';
import { readValue, writeValue } from './value-form.js';

type Group = 'all' | 'any';
/** Without the title that it may have. */
type Untitled = ConditionDocument;

interface Words {
  /** Between the parts of a group that stands on one line. */
  readonly between: Readonly<Record<Group, string>>;
  /** Around such a group. */
  readonly open: string;
  readonly close: string;
  /** Before a group of one part or of none. */
  readonly lonely: Readonly<Record<Group, string>>;
  readonly not: string;
  readonly named: readonly [before: string, behind: string];
  /** Before a group whose parts stand on lines of their own. */
  readonly block: Readonly<Record<Group | 'not', string>>;
  /** Behind the title of a condition. */
  readonly title: string;
}

const WORDS: Readonly<Record<Language, Words>> = {
  zh: {
    between: { all: '，且', any: '，或' },
    open: '〔',
    close: '〕',
    lonely: { all: '全部满足〔', any: '任一满足〔' },
    not: '并非〔',
    named: ['命名条件 "', '" 成立'],
    block: { all: '以下全部成立：', any: '以下任一成立：', not: '以下不成立：' },
    title: '：',
  },
  en: {
    between: { all: ' and ', any: ' or ' },
    open: '[',
    close: ']',
    lonely: { all: 'all of [', any: 'any of [' },
    not: 'not [',
    named: ['the condition "', '" holds'],
    block: { all: 'all of these hold:', any: 'any of these holds:', not: 'this does not hold:' },
    title: ': ',
  },
};

const PRESENCE: readonly {
  readonly operator: string;
  readonly value: boolean;
  readonly said: Texts;
}[] = [
  { operator: 'exists', value: true, said: { zh: '存在', en: ' is there' } },
  { operator: 'exists', value: false, said: { zh: '不存在', en: ' is missing' } },
  { operator: 'not:exists', value: true, said: { zh: '并非存在', en: ' is not there' } },
  { operator: 'not:exists', value: false, said: { zh: '并非不存在', en: ' is not missing' } },
];

function writeLeaf(leaf: LeafDocument, by: Wording): string {
  const { fact, path, value } = leaf;
  const { language } = by;
  const at = place.write({ fact, path }, by);
  const presence = PRESENCE.find((one) => one.operator === leaf.operator && one.value === value);
  if (presence) return spaced(language, at, presence.said[language]);
  return spaced(language, at, operator.write(leaf.operator, by), writeValue(value, leaf, by));
}

function readLeaf(from: Cursor): LeafDocument {
  const { language } = from;
  const at = place.read(from);
  skipSpace(from);
  const presence = PRESENCE.find(({ said }) => from.skip(said[language]));
  if (presence) return { ...at, operator: presence.operator, value: presence.value };
  const name = operator.read(from);
  skipSpace(from);
  return { ...at, operator: name, value: readValue(name, from) };
}

const LATIN_END = /[\x21-\x7e]$/;
const LATIN_BEGINNING = /^[\x21-\x7e]/;

/** Chinese has a blank between its characters and others, and no other blanks; English has its blanks already. */
function spaced(language: Language, ...parts: readonly string[]): string {
  return parts.reduce((before, part) => {
    const apart = language === 'zh' && LATIN_END.test(before) !== LATIN_BEGINNING.test(part);
    return `${before}${apart ? ' ' : ''}${part}`;
  });
}

function skipSpace(from: Cursor): void {
  if (from.language === 'zh') from.skip(' ');
}

/** The parts of a group; null: it is none. */
function groupIn(
  condition: ConditionDocument,
): { kind: Group; children: readonly ConditionDocument[] } | null {
  if ('all' in condition) return { kind: 'all', children: condition.all };
  return 'any' in condition ? { kind: 'any', children: condition.any } : null;
}

function titleOf(condition: ConditionDocument): string | undefined {
  return 'name' in condition ? condition.name : undefined;
}

function titled(untitled: Untitled, name: string | undefined): ConditionDocument {
  return name === undefined ? untitled : { ...untitled, name };
}

function writeTitle(condition: ConditionDocument, by: Wording): string {
  const name = titleOf(condition);
  return name === undefined ? '' : `${text.write(name, by)}${WORDS[by.language].title}`;
}

function readTitle(from: Cursor): string | undefined {
  if (!from.sees('"')) return undefined;
  const name = text.read(from);
  from.take(WORDS[from.language].title);
  return name;
}

/** A condition on one line, as a part of another. */
function writePart(condition: ConditionDocument, by: Wording): string {
  const { open, close, between, lonely, not } = WORDS[by.language];
  const title = writeTitle(condition, by);
  const group = groupIn(condition);
  if (group) {
    const { kind, children } = group;
    const parts = children.map((child) => writePart(child, by)).join(between[kind]);
    return `${title}${children.length > 1 ? open : lonely[kind]}${parts}${close}`;
  }
  if ('not' in condition) return `${title}${not}${writePart(condition.not, by)}${close}`;
  return `${title}${writeSimple(condition, by)}`;
}

/** A leaf, or the use of a named condition. */
function writeSimple(condition: ConditionDocument, by: Wording): string {
  if ('fact' in condition) return writeLeaf(condition, by);
  const [before, behind] = WORDS[by.language].named;
  const name = 'condition' in condition ? condition.condition : '';
  return `${before}${text.write(name, by).slice(1, -1)}${behind}`;
}

function readSimple(from: Cursor): Untitled {
  const [before, behind] = WORDS[from.language].named;
  if (!from.sees(before)) return readLeaf(from);
  from.take(before.slice(0, -1));
  const name = text.read(from);
  from.take(behind.slice(1));
  return { condition: name };
}

function readPart(from: Cursor): ConditionDocument {
  const { open, close, lonely, not } = WORDS[from.language];
  return from.within(() => {
    const title = readTitle(from);
    const kind = (['all', 'any'] as const).find((one) => from.skip(lonely[one]));
    if (kind) {
      const children = from.skip(close) ? [] : [readPart(from)];
      if (children.length > 0) from.take(close);
      return titled(groupOf(kind, children), title);
    }
    if (from.skip(not)) {
      const inner = readPart(from);
      from.take(close);
      return titled({ not: inner }, title);
    }
    if (!from.skip(open)) return titled(readSimple(from), title);
    const group = readMore(readPart(from), from);
    from.take(close);
    return titled(group, title);
  });
}

const groupOf = (kind: Group, children: readonly ConditionDocument[]): ConditionDocument =>
  kind === 'all' ? { all: children } : { any: children };

/** The other parts of a group whose first part has been read; with none, that part itself. */
function readMore(first: ConditionDocument, from: Cursor): ConditionDocument {
  const { between } = WORDS[from.language];
  const kind = (['all', 'any'] as const).find((one) => from.sees(between[one]));
  if (!kind) return first;
  const children = [first];
  while (from.skip(between[kind])) children.push(readPart(from));
  return groupOf(kind, children);
}

/** A condition on one line: `A and B and [C or D]`. */
export const conditionOnOneLine: Form<ConditionDocument> = {
  write: (condition, by) => {
    const group = titleOf(condition) === undefined ? groupIn(condition) : null;
    if (!group || group.children.length < 2) return writePart(condition, by);
    return group.children.map((child) => writePart(child, by)).join(WORDS[by.language].between[group.kind]);
  },
  read: (from) => readMore(readPart(from), from),
};

/** A condition that may take several lines; its parts are indented by two blanks for each level. */
function writeItem(condition: ConditionDocument, by: Wording, indent: string): string {
  const title = writeTitle(condition, by);
  const { block } = WORDS[by.language];
  const lines = (kind: Group | 'not', children: readonly ConditionDocument[]): string =>
    `${title}${block[kind]}${children.map((child) => `\n${indent}- ${writeItem(child, by, `${indent}  `)}`).join('')}`;
  const group = groupIn(condition);
  if (group) return lines(group.kind, group.children);
  return 'not' in condition ? lines('not', [condition.not]) : `${title}${writeSimple(condition, by)}`;
}

function readItem(from: Cursor, indent: string): ConditionDocument {
  const { block } = WORDS[from.language];
  return from.within(() => {
    const title = readTitle(from);
    const kind = (['all', 'any', 'not'] as const).find((one) => from.skip(block[one]));
    if (!kind) return titled(readSimple(from), title);
    const children: ConditionDocument[] = [];
    while (from.skip(`\n${indent}- `)) children.push(readItem(from, `${indent}  `));
    if (kind !== 'not') return titled(groupOf(kind, children), title);
    const [inner] = children;
    if (!inner || children.length > 1) return from.fail('one condition belongs before this');
    return titled({ not: inner }, title);
  });
}

const FIRST: Texts = { zh: '，\n且', en: ',\nif ' };
const NEXT: Texts = { zh: '，\n且', en: ',\nand ' };
/** Before conditions that do not begin with a plain "all". */
const ONE: Texts = { zh: '，\n若', en: ',\nprovided that ' };
const INDENT = '  ';

/** The conditions of a rule, behind what it listens to: one on a line, and what is nested indented. */
export const conditionsOfRule: Form<ConditionDocument> = {
  write: (condition, by) => {
    const { language } = by;
    if (!('all' in condition) || titleOf(condition) !== undefined)
      return `${ONE[language]}${writeItem(condition, by, INDENT)}`;
    return condition.all
      .map((child, at) => `${(at === 0 ? FIRST : NEXT)[language]}${writeItem(child, by, INDENT)}`)
      .join('');
  },
  read: (from) => {
    const { language } = from;
    if (from.skip(ONE[language])) return readItem(from, INDENT);
    const children: ConditionDocument[] = [];
    while (from.skip((children.length === 0 ? FIRST : NEXT)[language])) children.push(readItem(from, INDENT));
    return { all: children };
  },
};
