import { compilePattern } from './operators.js';

/** A pattern's structure, as far as a text that it matches can be read off it. */
type Part =
  | { readonly kind: 'text'; readonly text: string }
  /** One character, described as in the pattern: `[a-z]`, `\d`, `.`; `likely` may be it. */
  | { readonly kind: 'character'; readonly source: string; readonly likely: string }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Part[] }
  | { readonly kind: 'repeat'; readonly part: Part; readonly min: number; readonly max: number };

const VARIANTS = 6;
/** A sample that is longer helps nobody to see what was missing. */
const MAX_LENGTH = 1000;

/**
 * Short texts that a regular expression matches, the plainest first; each has been tried against the pattern. None
 * when there is no such text, or none was found: a pattern may want what its parts do not show (`a\bb`).
 */
export function samplesOf(text: string): readonly string[] {
  const pattern = compilePattern(text);
  if (typeof pattern === 'string') return [];
  const part = new PatternReader(text).read();
  const samples = new Set<string>();
  for (let variant = 0; variant < VARIANTS; variant += 1) {
    const sample = write(part, variant);
    if (sample !== null && sample.length <= MAX_LENGTH && pattern.test(sample)) samples.add(sample);
  }
  return [...samples];
}

/** The variants take other branches, and every other one repeats once more than it has to. */
function write(part: Part, variant: number): string | null {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'character':
      return characterOf(part.source, part.likely);
    case 'choice': {
      const chosen = part.parts[variant % part.parts.length];
      return chosen ? write(chosen, variant) : '';
    }
    case 'sequence': {
      let all = '';
      for (const one of part.parts) {
        const written = write(one, variant);
        if (written === null || all.length > MAX_LENGTH) return null;
        all += written;
      }
      return all;
    }
    case 'repeat': {
      const times = Math.min(part.min + (variant % 2), part.max);
      const written = times === 0 ? '' : write(part.part, variant);
      return written === null || written.length * times > MAX_LENGTH ? null : written.repeat(times);
    }
  }
}

const PLAIN = Array.from('a1Abx0-_. /@:,;中文éяα\n\t');
const PRINTABLE = Array.from({ length: 95 }, (_, at) => String.fromCodePoint(32 + at));

/** What one character may be is asked of the pattern engine itself, so that classes need not be understood here. */
function characterOf(source: string, likely: string): string | null {
  const pattern = compilePattern(`^${source}$`);
  if (typeof pattern === 'string') return null;
  const tried = [...PLAIN.slice(0, 3), ...Array.from(likely), ...PLAIN, ...PRINTABLE];
  return tried.find((one) => pattern.test(one)) ?? null;
}

const CONTROLS: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  f: '\f',
  v: '\v',
  a: '\x07',
};

/** Reads the syntax of RE2. The pattern is known to be sound. */
class PatternReader {
  private at = 0;

  constructor(private readonly text: string) {}

  read(): Part {
    const parts = [this.sequence()];
    while (this.take('|')) parts.push(this.sequence());
    return { kind: 'choice', parts };
  }

  private sequence(): Part {
    const parts: Part[] = [];
    while (this.at < this.text.length && !'|)'.includes(this.text.charAt(this.at)))
      parts.push(this.repeated(this.atom()));
    return { kind: 'sequence', parts };
  }

  private repeated(part: Part): Part {
    const [found, sign, min, comma, max] = this.match(/([*+?])\??|\{(\d+)(,?)(\d*)\}\??/y) ?? [];
    if (found === undefined) return part;
    const bounds =
      sign === undefined
        ? { min: Number(min), max: max ? Number(max) : comma ? Infinity : Number(min) }
        : { min: sign === '+' ? 1 : 0, max: sign === '?' ? 1 : Infinity };
    return this.repeated({ kind: 'repeat', part, ...bounds });
  }

  private atom(): Part {
    if (this.match(/\((?:\?(?:P?<[^>]*>|[a-zA-Z-]*:))?(?!\?)/y)) {
      const inner = this.read();
      this.take(')');
      return inner;
    }
    const quoted = this.match(/\\Q([^]*?)(?:\\E|$)/y);
    if (quoted) return { kind: 'text', text: quoted[1] ?? '' };
    // Anchors and flags take no character; whether they hold is seen when the sample is tried.
    if (this.match(/\(\?[a-zA-Z-]*\)|[\^$]|\\[bBAz]/y)) return { kind: 'text', text: '' };
    const list = this.match(/\[\^?\]?(?:\\[pP]\{[^}]*\}|\\[^]|\[:\^?\w+:\]|[^\]\\])*\]/y);
    if (list) return { kind: 'character', source: list[0], likely: list[0].replace(/[^\p{L}\p{N}]/gu, '') };
    const code = this.match(/\\x\{([0-9a-fA-F]+)\}|\\x([0-9a-fA-F]{2})/y);
    if (code) return { kind: 'text', text: String.fromCodePoint(parseInt(code[1] ?? code[2] ?? '', 16)) };
    const octal = this.match(/\\([0-7]{1,3})/y);
    if (octal) return { kind: 'text', text: String.fromCodePoint(parseInt(octal[1] ?? '', 8)) };
    const kind = this.match(/\.|\\[pP](?:\{[^}]*\}|.)|\\[dDwWsSC]/y);
    if (kind) return { kind: 'character', source: kind[0], likely: '' };
    const [, escaped, plain] = this.match(/\\([^])|([^])/uy) ?? [];
    return { kind: 'text', text: plain ?? CONTROLS[escaped ?? ''] ?? escaped ?? '' };
  }

  private take(character: string): boolean {
    const found = this.text.startsWith(character, this.at);
    if (found) this.at += character.length;
    return found;
  }

  private match(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.at;
    const found = expression.exec(this.text);
    if (found) this.at = expression.lastIndex;
    return found;
  }
}
