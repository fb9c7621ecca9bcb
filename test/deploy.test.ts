// The alert rules and the dashboard against Prometheus' own grammar, the metrics that there are, and the documents.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { Metrics } from '../src/config/metrics.js';
import { parsePromQl } from './support/promql.js';

interface Described {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

const metrics: readonly Described[] = (
  new Metrics().registry.getMetricsAsArray() as unknown as (Described & { labelNames?: string[] })[]
).map(({ name, type, help, labelNames = [] }) => ({ name, type, help, labels: labelNames }));
const own = metrics.filter(({ name }) => name.startsWith('aftersign_'));

/** The series that a metric has, by name, with their labels. */
const series = new Map<string, readonly string[]>([
  ['up', []],
  ...metrics.flatMap(({ name, type, labels }): [string, readonly string[]][] =>
    type === 'histogram'
      ? [
          [`${name}_bucket`, [...labels, 'le']],
          [`${name}_sum`, labels],
          [`${name}_count`, labels],
        ]
      : [[name, labels]],
  ),
]);
const FROM_PROMETHEUS = ['job', 'instance'];
const ONLY_RISING = /_(?:total|bucket|sum|count)$/;

/** What is wrong with an expression; empty: nothing. */
function faultsOf(expression: string): string[] {
  const { errors, selectors, grouping } = parsePromQl(expression);
  const known = new Set([...FROM_PROMETHEUS, ...selectors.flatMap(({ metric }) => series.get(metric) ?? [])]);
  return [
    ...errors.map((rest) => `cannot be parsed from "${rest}"`),
    ...selectors.filter(({ metric }) => !series.has(metric)).map(({ metric }) => `${metric} is no series`),
    ...selectors.flatMap(({ metric, labels }) =>
      labels
        .filter((label) => ![...FROM_PROMETHEUS, ...(series.get(metric) ?? [])].includes(label))
        .map((label) => `${metric} has no label ${label}`),
    ),
    ...grouping.filter((label) => !known.has(label)).map((label) => `nothing has the label ${label}`),
    ...selectors
      .map(({ metric }) => metric)
      // Counters begin at 0 again with each start: only how they rise says anything.
      .filter((metric) => ONLY_RISING.test(metric) && !inRange(expression, metric))
      .map((metric) => `${metric} without rate() or increase()`),
    ...selectors
      .map(({ metric }) => metric)
      // Of the database: every instance shows the same.
      .filter(
        (metric) =>
          isShared(metric) &&
          new RegExp(`(?:sum|avg|count)[^()]*(?:\\([^()]*\\))?\\s*\\(${metric}`).test(expression),
      )
      .map((metric) => `${metric} is alike in every instance: max, not sum`),
  ];
}

function inRange(expression: string, metric: string): boolean {
  return new RegExp(`(?:rate|increase)\\(${metric}(?:\\{[^}]*\\})?\\[`).test(expression);
}

function isShared(name: string): boolean {
  return own.some((metric) => metric.name === name && metric.help.startsWith('Of the database'));
}

describe('the check of expressions', () => {
  it.each([
    ['sum(rate(aftersign_verdicts_total[5m])', 'cannot be parsed'],
    ['sum(aftersign_events_undecided) bar', 'cannot be parsed'],
    ['max(aftersign_event_undecided)', 'aftersign_event_undecided is no series'],
    ['rate(aftersign_event_ack_seconds[5m])', 'aftersign_event_ack_seconds is no series'],
    ['max(aftersign_deliveries{status="dead"})', 'has no label status'],
    ['max by (rule) (aftersign_deliveries)', 'nothing has the label rule'],
    ['sum(aftersign_verdicts_total) > 1', 'without rate() or increase()'],
    ['sum by (state) (aftersign_deliveries{state="dead"})', 'max, not sum'],
  ])('finds what is wrong with %s', (expression, fault) => {
    expect(faultsOf(expression)).toContainEqual(expect.stringContaining(fault));
  });
});

describe('deploy/prometheus/alerts.yml', () => {
  interface Alert {
    readonly alert: string;
    readonly expr: string;
    readonly for?: string;
    readonly labels: { readonly severity: string };
    readonly annotations: {
      readonly summary: string;
      readonly description: string;
      readonly runbook_url: string;
    };
  }
  const { groups } = parse(readFileSync('deploy/prometheus/alerts.yml', 'utf8'), { strict: true }) as {
    groups: { name: string; rules: Alert[] }[];
  };
  const alerts = groups.flatMap(({ rules }) => rules);
  const text = readFileSync('docs/observability.md', 'utf8');

  it('has groups and alerts of different names', () => {
    const names = [...groups.map(({ name }) => name), ...alerts.map(({ alert }) => alert)];
    expect(new Set(names).size).toBe(names.length);
    expect(alerts.length).toBeGreaterThanOrEqual(12);
  });

  it.each(alerts.map((alert): [string, Alert] => [alert.alert, alert]))('%s is whole', (name, alert) => {
    expect(name).toMatch(/^Aftersign[A-Z][A-Za-z]+$/);
    expect(
      Object.keys(alert).filter((key) => !['alert', 'expr', 'for', 'labels', 'annotations'].includes(key)),
    ).toEqual([]);
    expect(faultsOf(alert.expr)).toEqual([]);
    expect(alert.for ?? '1m').toMatch(/^\d+[smh]$/);
    expect(['critical', 'warning', 'info']).toContain(alert.labels.severity);
    const { summary, description, runbook_url, ...others } = alert.annotations;
    expect(others).toEqual({});
    for (const one of [summary, description]) expect(one.trim()).not.toBe('');
    const grouped = new Set([...parsePromQl(alert.expr).grouping, ...FROM_PROMETHEUS]);
    for (const [, label = ''] of description.matchAll(/\$labels\.(\w+)/g)) expect(grouped).toContain(label);
    // As GitHub makes anchors of headings.
    expect(runbook_url).toBe(`docs/observability.md#${name.toLowerCase()}`);
    expect(text).toMatch(new RegExp(`^#+ ${name}$`, 'm'));
  });

  it('every paragraph of the document is of an alert', () => {
    const told = [...text.matchAll(/^#+ (Aftersign[A-Za-z]+)$/gm)].map(([, name]) => name);
    expect(told.sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  });
});

describe('deploy/grafana/aftersign.json', () => {
  interface Panel {
    readonly id: number;
    readonly type: string;
    readonly title: string;
    readonly description?: string;
    readonly datasource?: { readonly type: string; readonly uid: string };
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets?: { readonly refId: string; readonly expr: string }[];
    readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  }
  const dashboard = JSON.parse(readFileSync('deploy/grafana/aftersign.json', 'utf8')) as {
    uid: string;
    title: string;
    schemaVersion: number;
    templating: { list: { name: string; type: string; query: unknown }[] };
    annotations: { list: { expr?: string }[] };
    panels: Panel[];
  };
  const { panels } = dashboard;
  const shown = panels.filter(({ type }) => type !== 'row');

  it('has the shape that Grafana reads', () => {
    expect(dashboard).toMatchObject({ uid: 'aftersign', title: 'Aftersign', schemaVersion: 39 });
    expect(dashboard.templating.list.map(({ name, type }) => [name, type])).toEqual([
      ['datasource', 'datasource'],
      ['job', 'query'],
      ['instance', 'query'],
    ]);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { type, title } of panels) {
      expect(['row', 'stat', 'timeseries']).toContain(type);
      expect(title).toMatch(/[A-Za-z]/);
    }
  });

  it('has panels that do not lie on each other, within 24 columns', () => {
    const taken = new Map<string, string>();
    const overlaps: string[] = [];
    for (const { title, gridPos } of panels) {
      const { x, y, w, h } = gridPos;
      expect([x >= 0, y >= 0, w > 0, h > 0, x + w <= 24]).toEqual([true, true, true, true, true]);
      for (let column = x; column < x + w; column += 1)
        for (let line = y; line < y + h; line += 1) {
          const before = taken.get(`${column} ${line}`);
          if (before !== undefined) overlaps.push(`${title} on ${before}`);
          taken.set(`${column} ${line}`, title);
        }
    }
    expect(overlaps).toEqual([]);
  });

  it.each(shown.map((panel): [string, Panel] => [panel.title, panel]))(
    '%s asks for what there is',
    (_, panel) => {
      const { datasource, targets = [], fieldConfig, description } = panel;
      expect(datasource).toEqual({ type: 'prometheus', uid: '${datasource}' });
      expect(targets.length).toBeGreaterThan(0);
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
      expect(fieldConfig?.defaults.unit).toEqual(expect.any(String));
      expect(description).toMatch(/[\u4e00-\u9fff]/);
      for (const { expr } of targets) {
        expect(faultsOf(expr)).toEqual([]);
        expect(expr).toContain('job=~"$job"');
      }
    },
  );

  it('has variables and annotations that ask for what there is', () => {
    for (const { expr } of dashboard.annotations.list)
      if (expr !== undefined) expect(faultsOf(expr)).toEqual([]);
    for (const { name, query } of dashboard.templating.list.slice(1)) {
      const { query: text } = query as { query: string };
      expect(text).toMatch(
        new RegExp(`^label_values\\(aftersign_build_info(?:\\{job=~"\\$job"\\})?, ${name}\\)$`),
      );
    }
  });

  it('shows every metric of ours', () => {
    const asked = new Set(
      shown
        .flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => parsePromQl(expr).selectors))
        .map(({ metric }) => metric.replace(/_(?:bucket|sum|count)$/, '')),
    );
    expect(own.map(({ name }) => name).filter((name) => !asked.has(name))).toEqual([]);
  });
});

describe('docs/observability.md', () => {
  it('has the table of metrics', () => {
    const rows = own.map(({ name, type, labels, help }) => {
      const [, shared] = /^Of the database[^:]*: (.*)$/s.exec(help) ?? [];
      const meaning = shared ?? help;
      return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${shared === undefined ? 'process' : 'database'} | ${meaning} |`;
    });
    const table = [
      '| metric | type | labels | of | meaning |',
      '| --- | --- | --- | --- | --- |',
      ...rows,
    ].join('\n');
    const text = readFileSync('docs/observability.md', 'utf8');
    expect(text.split('<!-- metrics -->')[1]?.split('<!-- /metrics -->')[0]?.trim()).toBe(table);
  });

  it.each(own.map((metric): [string, Described] => [metric.name, metric]))(
    '%s is named as Prometheus wants it',
    (name, { type, labels, help }) => {
      expect(name).toMatch(/^aftersign(?:_[a-z]+)+$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
      expect(name).not.toMatch(/_(?:ms|milliseconds|minutes|count|sum|bucket)(?:_|$)/);
      expect(help).toMatch(/\.$/);
      for (const label of labels) expect(['id', 'rule', 'target', 'event', 'entity']).not.toContain(label);
    },
  );
});
