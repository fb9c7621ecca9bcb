const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
const NAMES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Text of others, safe on a terminal: control characters, among them the escapes that move the cursor, and marks that
 * turn the direction of writing are shown as what they are.
 */
export function printable(text: string): string {
  return text.replace(INVISIBLE, (one) => NAMES[one] ?? `\\u{${(one.codePointAt(0) ?? 0).toString(16)}}`);
}

const GRAPHEMES = new Intl.Segmenter();
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;

/** What a reader sees as one character. */
export function graphemesOf(text: string): string[] {
  return Array.from(GRAPHEMES.segment(text), ({ segment }) => segment);
}

/** Columns that a terminal takes for a text: two for a Chinese character. */
export function displayWidth(text: string): number {
  return graphemesOf(text).reduce(
    (width, one) => width + (WIDE.test(one) || one.includes('\ufe0f') ? 2 : ZERO.test(one) ? 0 : 1),
    0,
  );
}
