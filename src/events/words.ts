/** Characters of languages that put no spaces between words. */
const RUN = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}`;
const WORDS = new RegExp(`[${RUN}]+|(?:(?![${RUN}])[\\p{L}\\p{N}\\p{M}])+`, 'gu');
const IS_RUN = new RegExp(`^[${RUN}]`, 'u');
const LONGEST_WORD = 64;

/**
 * The words of a text, in lower case, as they are indexed and looked for: of a text in Chinese, Japanese or Korean
 * every two neighbouring characters, of any other language what stands between spaces and punctuation.
 */
export function wordsOf(text: string): string[] {
  const words = new Set<string>();
  for (const [word] of text.normalize('NFKC').toLowerCase().matchAll(WORDS)) {
    if (!IS_RUN.test(word)) {
      words.add(word.slice(0, LONGEST_WORD));
      continue;
    }
    const characters = Array.from(word);
    if (characters.length === 1) words.add(word);
    for (let at = 0; at + 1 < characters.length; at += 1)
      words.add(`${characters[at] ?? ''}${characters[at + 1] ?? ''}`);
  }
  return [...words];
}
