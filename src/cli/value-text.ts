import { printable } from '../config/terminal-text.js';

const LONGEST = 400;

/** A value as JSON, shortened. */
export function valueText(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  return shortText(text ?? '', LONGEST);
}

/** A text of others, shortened; how long it is when it was. */
export function shortText(text: string, longest: number): string {
  return text.length > longest
    ? `${printable(text.slice(0, longest))}… (${text.length} characters)`
    : printable(text);
}
