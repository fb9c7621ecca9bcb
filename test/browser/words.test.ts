// Every text of the console in both languages, in the words of the glossary.
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';

const SOURCES = resolve('console', 'src');

// What stands beside `bothWords` is of React; here it only has to hold two languages together.
jest.unstable_mockModule(join(SOURCES, 'words', 'words.tsx'), () => ({
  bothWords: (en: unknown, zh: unknown) => ({ en, zh }),
}));

type Text = string | ((...given: unknown[]) => string);
interface BothWords {
  readonly en: Readonly<Record<string, Text>>;
  readonly zh: Readonly<Record<string, Text>>;
}

/** What a text says, or a function with anything put in: a number, else a text, else a list. */
function said(text: Text): string {
  if (typeof text === 'string') return text;
  for (const given of [2, 'x', ['x']]) {
    try {
      return text(...Array.from({ length: text.length }, () => given));
    } catch {
      // It takes something else.
    }
  }
  throw new Error(`nothing could be put into ${text.toString()}`);
}

const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((file) =>
  /words\.ts$/.test(file),
);
const all: { readonly at: string; readonly en: string; readonly zh: string }[] = [];
const rooms: (readonly [name: string, words: BothWords])[] = [];
for (const file of files) {
  const exported = Object.entries((await import(join(SOURCES, file))) as Record<string, unknown>);
  for (const [name, words] of exported) {
    if (typeof words !== 'object' || words === null || !('en' in words && 'zh' in words)) continue;
    const both = words as BothWords;
    rooms.push([`${file} ${name}`, both]);
    for (const key of Object.keys(both.en))
      all.push({ at: `${file} ${key}`, en: said(both.en[key] ?? ''), zh: said(both.zh[key] ?? '') });
  }
}

/** Without what is quoted, without ids and names of files: they are the same in every language. */
function unquoted(text: string): string {
  return text.replace(/"[^"]*"|“[^”]*”|\[[^\]]*\]|\S*\.\w+\S*|\w+:\S+/g, '');
}

/** Of the glossary: where English has the word, Chinese has one of these. */
const GLOSSARY: readonly (readonly [english: RegExp, chinese: RegExp])[] = [
  [/\bdeliver(?:y|ies)\b/i, /投递|死信|重投|放行/],
  [/\bdead letters?\b/i, /死信/],
  [/\bredrive/i, /重投/],
  [/\breplay/i, /重放/],
  [/\bsilences?\b/i, /静默/],
  [/\brule sets?\b/i, /规则集/],
  [/\brules?\b/i, /规则/],
  [/\bverdicts?\b/i, /判定/],
  [/\bnear miss(?:es)?\b/i, /差一点命中/],
  [/\bevents?\b/i, /事件/],
  [/\btargets?\b/i, /目标/],
  [/\btimers?\b/i, /定时器/],
  [/\battempts?\b/i, /尝试|重试|次/],
  [/\bdrift/i, /漂移/],
  [/\bdrill/i, /演练/],
  [/\bcountersign/i, /会签/],
  [/\bheld\b/i, /暂扣|放行/],
  [/\bdeferred\b/i, /延后/],
  [/\bbreaker\b/i, /熔断/],
];

describe('the words of the console', () => {
  it('are found in every room', () => {
    expect(files.length).toBeGreaterThan(8);
    expect(all.length).toBeGreaterThan(200);
  });

  it.each(rooms)('%s: the same in both languages', (_, { en, zh }) => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
  });

  it('say something, each of them', () => {
    expect(all.filter(({ en, zh }) => en.trim() === '' || zh.trim() === '')).toEqual([]);
  });

  it('are Chinese in Chinese', () => {
    // Names stay: HTTP, Feishu, biz_type. Three words in a row are a sentence that nobody translated.
    expect(all.filter(({ zh }) => /[a-z]{2,}(?: [a-z]{2,}){2}/i.test(unquoted(zh)))).toEqual([]);
    expect(all.filter(({ en, zh }) => en === zh && /[a-z]{3} |[a-z]{8}/.test(en))).toEqual([]);
  });

  it('are English in English', () => {
    expect(all.filter(({ en }) => /\p{Script=Han}/u.test(unquoted(en)))).toEqual([]);
  });

  it.each(GLOSSARY)('call %s what the glossary calls it', (english, chinese) => {
    expect(all.filter(({ en, zh }) => english.test(unquoted(en)) && !chinese.test(zh))).toEqual([]);
  });
});
