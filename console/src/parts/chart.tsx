import { Box, useComputedColorScheme } from '@mantine/core';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { localeOf } from './moment.js';
import { useLanguage } from '../words/words.js';

export interface Series {
  readonly name: string;
  /** A colour of CSS: `var(--mantine-color-teal-6)`. */
  readonly colour: string;
  /** One for each time. */
  readonly values: readonly number[];
}

/** Counts over time as bars beside or lines over each other. Import it lazily: `parts/lazy-chart`. */
export default function Chart({
  label,
  times,
  series,
  kind = 'lines',
  height = 180,
  legend = true,
}: {
  /** What it shows, for those who do not see it. */
  readonly label: string;
  /** Milliseconds since 1970, ascending. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  readonly kind?: 'lines' | 'bars';
  readonly height?: number;
  /** False: whoever shows the chart says what its lines are. */
  readonly legend?: boolean;
}) {
  const box = useRef<HTMLDivElement>(null);
  const { language } = useLanguage();
  const scheme = useComputedColorScheme();
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const css = getComputedStyle(element);
    const colourOf = (text: string): string =>
      text.startsWith('var(') ? css.getPropertyValue(text.slice(4, -1)).trim() : text;
    const ink = colourOf('var(--mantine-color-dimmed)');
    const grid = colourOf('var(--mantine-color-default-border)');
    const axis: uPlot.Axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
    const clock = new Intl.DateTimeFormat(localeOf(language), { hour: '2-digit', minute: '2-digit' });
    const day = new Intl.DateTimeFormat(localeOf(language), { month: '2-digit', day: '2-digit' });
    const long = (times.at(-1) ?? 0) - (times[0] ?? 0) > 2 * 86_400_000;
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height,
        cursor: { y: false },
        legend: { show: legend, live: true },
        scales: { y: { range: (_self, _low, high) => [0, Math.max(4, Math.ceil(high * 1.1))] } },
        axes: [
          {
            ...axis,
            size: 32,
            values: (_self, splits) => splits.map((at) => (long ? day : clock).format(at * 1000)),
          },
          {
            ...axis,
            size: 44,
            values: (_self, splits) => splits.map((n) => (Number.isInteger(n) ? String(n) : '')),
          },
        ],
        series: [
          {
            value: (_self, at: number | null) =>
              at === null ? '–' : `${day.format(at * 1000)} ${clock.format(at * 1000)}`,
            // An empty one would be "Time".
            label: ' ',
          },
          ...series.map(({ name, colour }, index): uPlot.Series => {
            const paint = colourOf(colour);
            const bars = uPlot.paths.bars?.({ size: [0.7 / series.length, 40], align: index === 0 ? 1 : -1 });
            return kind === 'bars' && bars
              ? { label: name, stroke: paint, fill: paint, paths: bars, points: { show: false } }
              : { label: name, stroke: paint, width: 2, fill: `${paint}22`, points: { show: false } };
          }),
        ],
      },
      [times.map((at) => at / 1000), ...series.map(({ values }) => [...values])],
      element,
    );
    const seen = new ResizeObserver(() => {
      plot.setSize({ width: element.clientWidth, height });
    });
    seen.observe(element);
    return () => {
      seen.disconnect();
      plot.destroy();
    };
  }, [times, series, kind, height, legend, language, scheme]);
  const sums = series.map(({ name, values }) => `${name} ${values.reduce((sum, one) => sum + one, 0)}`);
  return <Box ref={box} role="img" aria-label={`${label}: ${sums.join(', ')}`} mih={height} />;
}
