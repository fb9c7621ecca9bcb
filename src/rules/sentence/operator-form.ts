import type { Cursor } from './cursor.js';
import type { Form } from './form.js';
import { text } from './json-form.js';
import type { Language, Texts } from './language.js';
import { DECORATORS, OPERATORS } from '../operators.js';

/** How an operator is said, and how its opposite is: the operator with `not:` before it. */
type Said = Readonly<Record<Language, readonly [plain: string, not: string]>>;

const SAID: Readonly<Record<string, Said>> = {
  equal: { zh: ['为', '不等于'], en: ['is', 'does not equal'] },
  notEqual: { zh: ['不为', '并非不为'], en: ['is not', 'is not other than'] },
  in: { zh: ['属于', '不在'], en: ['is one of', 'is not among'] },
  notIn: { zh: ['不属于', '并非不属于'], en: ['is none of', 'is not outside'] },
  contains: { zh: ['列表中有', '列表中未见'], en: ['has the element', 'lacks the element'] },
  doesNotContain: {
    zh: ['列表中没有', '列表中并非没有'],
    en: ['has not the element', 'does not lack the element'],
  },
  lessThan: { zh: ['小于', '并非小于'], en: ['is less than', 'is not less than'] },
  lessThanInclusive: { zh: ['不超过', '并非不超过'], en: ['is at most', 'is not at most'] },
  greaterThan: { zh: ['大于', '并非大于'], en: ['is more than', 'is not more than'] },
  greaterThanInclusive: { zh: ['至少为', '并非至少为'], en: ['is at least', 'is not at least'] },
  // Beside a value that is not plainly true or false.
  exists: { zh: ['有无为', '有无不为'], en: ['has the presence', 'has not the presence'] },
  startsWith: { zh: ['开头是', '开头不是'], en: ['begins with', 'does not begin with'] },
  endsWith: { zh: ['结尾是', '结尾不是'], en: ['ends with', 'does not end with'] },
  containsText: { zh: ['含文本', '不含文本'], en: ['contains the text', 'does not contain the text'] },
  matches: { zh: ['匹配正则', '不匹配正则'], en: ['matches the pattern', 'does not match the pattern'] },
  before: { zh: ['早于', '并非早于'], en: ['is before', 'is not before'] },
  after: { zh: ['晚于', '并非晚于'], en: ['is after', 'is not after'] },
  olderThan: { zh: ['距今超过', '距今并未超过'], en: ['is longer ago than', 'is not longer ago than'] },
  newerThan: { zh: ['距今不到', '距今并非不到'], en: ['is less long ago than', 'is not less long ago than'] },
};

/** Between words. */
const BLANK: Texts = { zh: '', en: ' ' };

const DECORATED: Readonly<Record<string, Texts>> = {
  someFact: { zh: '任一元素', en: 'some element' },
  everyFact: { zh: '每个元素', en: 'every element' },
  someValue: { zh: '对任一值', en: 'for one of the values it' },
  everyValue: { zh: '对每个值', en: 'for each of the values it' },
  swap: { zh: '反过来', en: 'the other way round it' },
  not: { zh: '并非', en: 'not so that' },
};

/** The operator alone or with `not:`, and its words with the blank behind them. */
interface Ending {
  readonly name: string;
  readonly text: string;
}

const ENDINGS: Readonly<Record<Language, readonly Ending[]>> = {
  zh: endings('zh'),
  en: endings('en'),
};

/** All operators with and without `not:`; those whose texts begin with another's text come first. */
function endings(language: Language): readonly Ending[] {
  return OPERATORS.flatMap(({ name }): Ending[] => {
    const said = SAID[name]?.[language];
    return said
      ? [0, 1].map((not) => ({
          name: not ? `not:${name}` : name,
          text: `${said[not] ?? ''}${BLANK[language]}`,
        }))
      : [];
  }).sort((a, b) => b.text.length - a.text.length);
}

/** Between a fact and decorators. */
const APART: Texts = { zh: '中', en: ', ' };
/** Of an operator that there are no words for. */
const OTHER: Texts = { zh: '按 ', en: 'by ' };

/** An operator with its decorators, and the blanks before and behind it that its language wants. */
export const operator: Form<string> = {
  write: (value, by) => {
    const { language } = by;
    const parts = partsOf(value, ENDINGS[language]);
    const words = parts?.decorators.map((name) => DECORATED[name]?.[language]);
    if (!parts || !words || words.includes(undefined))
      return `${BLANK[language]}${OTHER[language]}${text.write(value, by)}${BLANK[language]}`;
    if (words.length === 0) return `${BLANK[language]}${parts.ending.text}`;
    return `${APART[language]}${words.map((one) => `${one ?? ''}${BLANK[language]}`).join('')}${parts.ending.text}`;
  },
  read: (from) => {
    const { language } = from;
    const decorators: string[] = [];
    if (from.skip(APART[language])) {
      for (let name = readDecorator(from); name !== undefined; name = readDecorator(from))
        decorators.push(name);
    } else {
      from.take(BLANK[language]);
      if (from.skip(OTHER[language])) {
        const name = text.read(from);
        from.take(BLANK[language]);
        return name;
      }
    }
    const ending = ENDINGS[language].find((one) => from.skip(one.text));
    return [...decorators, ending?.name ?? from.fail('an operator belongs here')].join(':');
  },
};

/** `someFact:not:equal` into `someFact` and `not:equal`; null: there is no such operator. */
function partsOf(
  value: string,
  endings: readonly Ending[],
): { readonly decorators: readonly string[]; readonly ending: Ending } | null {
  const [ending] = endings
    .filter(({ name }) => value === name || value.endsWith(`:${name}`))
    .sort((a, b) => b.name.length - a.name.length);
  if (!ending) return null;
  const before = value.slice(0, -ending.name.length);
  return { ending, decorators: before === '' ? [] : before.slice(0, -1).split(':') };
}

function readDecorator(from: Cursor): string | undefined {
  const { language } = from;
  return DECORATORS.find(({ name }) => from.skip(`${DECORATED[name]?.[language] ?? ''}${BLANK[language]}`))
    ?.name;
}
