/** A part of the time axis. Squeezed: nothing happened in it, and it is narrower than it is long. */
export interface Stretch {
  /** Milliseconds since 1970, as all times here. */
  readonly from: number;
  readonly to: number;
  readonly x0: number;
  readonly x1: number;
  readonly squeezed: boolean;
}

/** From times to places, from left to right. */
export interface Scale {
  readonly width: number;
  readonly stretches: readonly Stretch[];
  xOf(time: number): number;
}

export interface Tick {
  readonly time: number;
  readonly x: number;
  /** The first of its day: it says the day too. */
  readonly day: boolean;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Room at both ends, pixels. */
const MARGIN = 18;
/** So wide is a squeezed stretch at most, and so wide at least. */
const [SQUEEZED, SQUEEZED_LEAST] = [56, 20];
/** So far apart are the ticks, and one from what is squeezed. */
const TICK_ROOM = 78;
const STEPS = [
  1,
  2,
  5,
  10,
  15,
  30,
  60,
  120,
  180,
  360,
  720,
  1440,
  2880,
  7 * 1440,
  14 * 1440,
  28 * 1440,
  91 * 1440,
  364 * 1440,
].map((minutes) => minutes * MINUTE);

/**
 * Gaps longer than this are idle: nights, weekends. Twice the gap that is usual, an hour at least, and half as much
 * again, so that a steady pace is never squeezed. Of fewer than two gaps none is.
 */
function idleFrom(moments: readonly number[]): number {
  const gaps = moments
    .map((time, at) => time - (moments[at - 1] ?? time))
    .filter((gap) => gap >= MINUTE)
    .sort((a, b) => a - b);
  const usual = gaps[Math.floor((gaps.length - 1) / 2)];
  if (usual === undefined || gaps.length < 2) return Number.POSITIVE_INFINITY;
  return Math.max(HOUR, usual * 2) * 1.5;
}

/**
 * A scale of `width` pixels over all moments at which something happened, or will; with `squeeze`, long idle gaps
 * between them become narrow. One moment alone stands in the middle.
 */
export function scaleOver(times: readonly number[], width: number, squeeze: boolean): Scale {
  const moments = [...new Set(times.filter((time) => Number.isFinite(time)))].sort((a, b) => a - b);
  const first = moments[0] ?? 0;
  const last = moments.at(-1) ?? first;
  const room = Math.max(width - 2 * MARGIN, 1);
  if (first === last) return { width, stretches: [], xOf: () => width / 2 };

  const limit = squeeze ? idleFrom(moments) : Number.POSITIVE_INFINITY;
  const parts: { from: number; to: number; squeezed: boolean }[] = [];
  for (const [at, time] of moments.entries()) {
    const from = moments[at - 1];
    if (from === undefined) continue;
    const squeezed = time - from > limit;
    const before = parts.at(-1);
    if (before && !squeezed && !before.squeezed) before.to = time;
    else parts.push({ from, to: time, squeezed });
  }
  const idle = parts.filter(({ squeezed }) => squeezed).length;
  const each = idle === 0 ? 0 : Math.max(SQUEEZED_LEAST, Math.min(SQUEEZED, (room * 0.4) / idle));
  const busy = parts.reduce((sum, { from, to, squeezed }) => sum + (squeezed ? 0 : to - from), 0);
  // All of it squeezed cannot be: the usual gap never is.
  const perMs = Math.max(room - idle * each, 1) / busy;
  let x = MARGIN;
  const stretches = parts.map((part): Stretch => {
    const x0 = x;
    x += part.squeezed ? each : (part.to - part.from) * perMs;
    return { ...part, x0, x1: x };
  });
  const xOf = (time: number): number => {
    const held = Math.min(Math.max(time, first), last);
    const stretch = stretches.find(({ to }) => held <= to);
    if (!stretch) return x;
    const part = (held - stretch.from) / (stretch.to - stretch.from);
    return stretch.x0 + part * (stretch.x1 - stretch.x0);
  };
  return { width, stretches, xOf };
}

/**
 * Times worth a line on the axis: full minutes, hours or days where people are, whichever leaves room, and none in what
 * is squeezed. `zoneOf`: how far local time is before UTC at a time, milliseconds.
 */
export function ticksOf(scale: Scale, zoneOf: (time: number) => number): readonly Tick[] {
  const open = scale.stretches.filter(({ squeezed }) => !squeezed);
  const [{ from, to, x0, x1 } = { from: 0, to: 1, x0: 0, x1: 1 }] = open;
  const step = STEPS.find((one) => ((x1 - x0) / (to - from)) * one >= TICK_ROOM) ?? 364 * DAY;
  const ticks: Tick[] = [];
  for (const stretch of open) {
    const zone = zoneOf(stretch.from);
    const begin = Math.ceil((stretch.from + zone) / step) * step - zone;
    for (let time = begin; time <= stretch.to; time += step) {
      const x = scale.xOf(time);
      const before = ticks.at(-1);
      if (before && x - before.x < TICK_ROOM * 0.8) continue;
      const dayOf = (one: number): number => Math.floor((one + zoneOf(one)) / DAY);
      ticks.push({ time, x, day: before === undefined || dayOf(before.time) !== dayOf(time) });
    }
  }
  return ticks;
}
