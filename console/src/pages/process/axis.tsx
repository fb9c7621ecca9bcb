import { localeOf, shownDuration } from '../../parts/moment.js';
import { useLanguage, useWords } from '../../words/words.js';
import { type Scale, ticksOf } from './scale.js';
import { PROCESS } from './words.js';

/** The times above the rows, where now is, and where time is drawn shorter than it was. */
export function Axis({
  scale,
  nowX,
  height,
}: {
  readonly scale: Scale;
  readonly nowX: number | null;
  readonly height: number;
}) {
  const w = useWords(PROCESS);
  const { language } = useLanguage();
  const locale = localeOf(language);
  const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' });
  const day = new Intl.DateTimeFormat(locale, { month: '2-digit', day: '2-digit' });
  const ticks = ticksOf(scale, (time) => -new Date(time).getTimezoneOffset() * 60_000);
  return (
    <g aria-hidden>
      {ticks.map((tick) => (
        <g key={tick.time}>
          <line x1={tick.x} x2={tick.x} y1={-6} y2={height} className="grid" />
          {tick.day && (
            <text x={tick.x} y={-22} className="time day">
              {day.format(tick.time)}
            </text>
          )}
          <text x={tick.x} y={-9} className="time">
            {clock.format(tick.time)}
          </text>
        </g>
      ))}
      {scale.stretches
        .filter(({ squeezed }) => squeezed)
        .map(({ from, to, x0, x1 }) => (
          <g key={from}>
            <rect x={x0} width={x1 - x0} y={-6} height={height + 6} className="idle" />
            <path d={zigzag(x0, x1)} className="break" />
            {x1 - x0 > 34 && (
              <text x={(x0 + x1) / 2} y={-22} className="time idle-time">
                ↔ {shownDuration(to - from)}
              </text>
            )}
            <title>{w.squeezedFor(shownDuration(to - from))}</title>
          </g>
        ))}
      {nowX !== null && (
        <g>
          <line x1={nowX} x2={nowX} y1={-4} y2={height} className="now" />
          <text x={nowX} y={-22} className="time now-time">
            {w.now}
          </text>
        </g>
      )}
    </g>
  );
}

function zigzag(x0: number, x1: number): string {
  const steps = Math.max(2, Math.floor((x1 - x0) / 6));
  const step = (x1 - x0) / steps;
  return Array.from(
    { length: steps + 1 },
    (_, at) => `${at === 0 ? 'M' : 'L'}${(x0 + at * step).toFixed(1)},${at % 2 === 0 ? -5 : -11}`,
  ).join(' ');
}
