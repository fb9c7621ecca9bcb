import type { Form } from './form.js';
import { jsonText, text } from './json-form.js';
import { fieldAt, labelIn, type Place } from './label.js';
import type { Language, Texts, Wording } from './language.js';

/** Plain names and paths: no mark that could end them. */
const NAME = /[\p{L}\p{N}_][\p{L}\p{N}_.:*$[\]-]*/uy;
const PATH = /[\p{L}\p{N}_$[][\p{L}\p{N}_.$[\]-]*/uy;
/** A label as `plainLabel` makes it; of one before a fact, without the blank behind it. */
const LABEL = /[^\p{C}"`“”「」（）()[\]〔〕]+/uy;
const LABEL_OF_FACT: Readonly<Record<Language, RegExp>> = {
  zh: LABEL,
  en: /[^\p{C}"`“”「」（）()[\]〔〕]+(?= \()/uy,
};

/** Around what stands in the file, behind its label. */
const OPEN: Texts = { zh: '（', en: ' (' };
const CLOSE: Texts = { zh: '）', en: ')' };
/** Around it where there is no label. */
const ALONE = '`';

/** As it is when all of it is plain, else as JSON. */
function rawForm(plain: RegExp, what: string): Form<string> {
  return {
    write: (value) => {
      plain.lastIndex = 0;
      return plain.exec(value)?.[0] === value ? value : jsonText(value);
    },
    read: (from) =>
      from.sees('"') ? text.read(from) : (from.match(plain) ?? from.fail(`${what} belongs here`)),
  };
}

const name = rawForm(NAME, 'the name of a fact');
const path = rawForm(PATH, 'a path');

/** Where a condition reads: `status（status）` with its label before it, or alone between backticks. */
export const place: Form<Place> = {
  write: (value, by) => {
    const { language } = by;
    const inFile = `${name.write(value.fact, by)}${value.path === undefined ? '' : ` ${path.write(value.path, by)}`}`;
    const label = labelOfPlace(value, by);
    if (label === null) return `${ALONE}${inFile}${ALONE}`;
    return `${label}${OPEN[language]}${inFile}${CLOSE[language]}`;
  },
  read: (from) => {
    const { language } = from;
    const alone = from.skip(ALONE);
    if (!alone) {
      if (from.match(LABEL_OF_FACT[language]) === null) from.fail('a fact belongs here');
      from.take(OPEN[language]);
    }
    const fact = name.read(from);
    const within = from.skip(' ') ? path.read(from) : undefined;
    from.take(alone ? ALONE : CLOSE[language]);
    return { fact, ...(within === undefined ? {} : { path: within }) };
  },
};

function labelOfPlace(value: Place, by: Wording): string | null {
  if (value.fact === 'owner' && value.path === undefined) return labelIn(OWNER, value.fact, by);
  return labelIn(fieldAt(value, by)?.label, value.fact, by);
}

/** As a key of what is counted or gathered. */
const OWNER: Texts = { zh: '负责人', en: 'owner' };

/** The opening and closing quotation marks of labels of values and event types. */
const QUOTES: Readonly<Record<Language, readonly [string, string]>> = { zh: ['「', '」'], en: ['“', '”'] };

/** Something of the file, with a label before it where there is one: `「已完成」（3）`. */
export function labelled<Value>(
  inner: Form<Value>,
  labelOf: (value: Value, by: Wording) => string | null,
): Form<Value> {
  return {
    write: (value, by) => {
      const inFile = inner.write(value, by);
      const label = labelOf(value, by);
      if (label === null) return inFile;
      const [before, behind] = QUOTES[by.language];
      return `${before}${label}${behind}${OPEN[by.language]}${inFile}${CLOSE[by.language]}`;
    },
    read: (from) => {
      const [before, behind] = QUOTES[from.language];
      if (!from.skip(before)) return inner.read(from);
      if (from.match(LABEL) === null) from.fail('a label belongs here');
      from.take(behind);
      from.take(OPEN[from.language]);
      const value = inner.read(from);
      from.take(CLOSE[from.language]);
      return value;
    },
  };
}

/** How a labelled value, or one without a label, may begin. */
export const VALUE_BEGINS = /[“「"\d-]|(?:true|false|null)\b/y;
