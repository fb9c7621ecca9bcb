/**
 * Parses JSON; integers beyond 2^53 become strings of their digits, so that two long ids never turn into one number.
 *
 * @throws SyntaxError as JSON.parse.
 */
export function parseLossless(text: string): unknown {
  // The reviver is several times slower than the plain parser: only texts that may need it pay.
  if (!/[[:,]\s*-?\d{16}/.test(text)) return JSON.parse(text) as unknown;
  try {
    return JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown) as unknown;
  } catch (error) {
    // The reviver recurses, the parser does not: a genuine event of 100 000 levels must not be lost to that.
    if (error instanceof RangeError || (error as Error).name === 'RangeError')
      return JSON.parse(text) as unknown;
    throw error;
  }
}

function keepDigits(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || context.source === undefined) return value;
  return /^-?\d+$/.test(context.source) ? context.source : value;
}
