const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Milliseconds of a calendar duration: `30s`, `15m`, `24h`, `2d`, or ISO 8601 (`PT24H`, `P1DT2H`).
 * Returns null for anything else; a bare number is refused because its unit would be a guess.
 */
export function parseDuration(text: string): number | null {
  const short = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  if (short) return Number(short[1]) * (UNITS[short[2] ?? ''] ?? NaN);
  const iso = /^P(?=.)(?:(\d{1,6})D)?(?:T(?=.)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})S)?)?$/.exec(text);
  if (!iso) return null;
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = iso;
  return (
    Number(days) * 86_400_000 + Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1000
  );
}

/** Milliseconds as a duration that `parseDuration` reads, in the largest unit that fits: `90m`, `2d`. */
export function writeDuration(ms: number): string {
  const units = Object.entries(UNITS).filter(([, size]) => ms >= size && ms % size === 0);
  const [unit, size] = units.at(-1) ?? ['ms', 1];
  return `${ms / size}${unit}`;
}
