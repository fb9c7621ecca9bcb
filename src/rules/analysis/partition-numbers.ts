/** What numbers there may be; null: without end. */
export interface NumberBounds {
  readonly integer: boolean;
  readonly least: number | null;
  readonly most: number | null;
}

/**
 * Numbers of which there is one at each point, and `count` before, between and behind the points: whatever compares
 * numbers with these points finds one of every kind. Those that the bounds leave out are left out.
 */
export function numbersAround(
  points: readonly number[],
  bounds: NumberBounds,
  count: number,
): readonly number[] {
  const { least, most, integer } = bounds;
  const given = [...points, least, most].filter((one) => one !== null && Number.isFinite(one)) as number[];
  const inside = given.filter((one) => one >= (least ?? -Infinity) && one <= (most ?? Infinity));
  const sorted = [...new Set(inside.length > 0 ? inside : [0])].sort((a, b) => a - b);
  const found = sorted.flatMap((point, at) => {
    const next = sorted[at + 1];
    if (next !== undefined) return [point, ...between(point, next, integer, count)];
    return most === null ? [point, ...beyond(point, 1, integer, count)] : [point];
  });
  const first = least === null ? beyond(sorted[0] ?? 0, -1, integer, count) : [];
  // JSON has no -0.
  return [...found, ...first].filter((one) => !integer || Number.isSafeInteger(one)).map((one) => one || 0);
}

/** Numbers strictly between two, whole ones where there are. */
function between(from: number, to: number, integer: boolean, count: number): readonly number[] {
  const numbers: number[] = [];
  for (let at = 1; at <= count; at += 1) {
    const one = Math.floor(from) + at;
    if (one > from && one < to) numbers.push(one);
  }
  if (integer) return numbers;
  for (let at = 1; numbers.length < count && at <= count; at += 1) {
    const one = from + (to - from) * (at / (count + 1));
    if (one > from && one < to && !numbers.includes(one)) numbers.push(one);
  }
  return numbers;
}

function beyond(point: number, sign: 1 | -1, integer: boolean, count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => {
    const whole = (sign === 1 ? Math.floor(point) : Math.ceil(point)) + sign * (at + 1);
    // Beyond what is counted by ones.
    return whole === point && !integer ? point + sign * Math.abs(point) * ((at + 1) / (count + 1)) : whole;
  }).filter((one) => one !== point && Number.isFinite(one));
}
