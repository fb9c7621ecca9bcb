import { Alert, Box, Card, Code, Group, Stack, Text, Title } from '@mantine/core';
import type { BacktestReport } from '../../api/types.js';
import { EventLink, RuleLink } from '../../parts/links.js';
import { type Column, List } from '../../parts/list.js';
import { useNarrow } from '../../parts/narrow.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { ChangeMark, CHANGES, type Counts, CountTiles, sumsOf } from './counts.js';
import { ExampleCard } from './example.js';
import { BACKTEST_WORDS } from './words.js';

type RuleRow = BacktestReport['rules'][number];
type TargetRow = BacktestReport['targets'][number];

const MOST_TARGETS = 50;

/** What a back-test has found: the numbers, then by rule and target, then examples of each rule. */
export function ReportShown({
  report,
  examplesLeft,
}: {
  readonly report: BacktestReport;
  readonly examplesLeft: number;
}) {
  const w = useWords(BACKTEST_WORDS);
  const shown = useWords(SHOWN);
  const narrow = useNarrow();
  const { totals, before, after, events, rules, targets, unrecorded } = report;
  const sum = (set: typeof before): number =>
    set.deliveries.sent + set.deliveries.held + set.deliveries.dead + set.deliveries.waiting;
  const isSame = CHANGES.every((change) => change === 'same' || totals[change] === 0);
  const ruleColumns: readonly Column<RuleRow>[] = [
    {
      title: shown.rule,
      cell: ({ rule, change }) => (
        <>
          <RuleLink name={rule} /> {change !== 'same' && <ChangeMark change={change} />}
        </>
      ),
    },
    ...(narrow ? fewColumns<RuleRow>(w) : countColumns<RuleRow>(w)),
  ];
  const targetColumns: readonly Column<TargetRow>[] = [
    {
      title: shown.target,
      cell: ({ target }) => (
        <Text span fz="sm" ff="monospace" style={{ overflowWrap: 'anywhere' }}>
          {target}
        </Text>
      ),
    },
    ...(narrow ? fewColumns<TargetRow>(w) : countColumns<TargetRow>(w)),
  ];
  return (
    <Stack>
      <CountTiles counts={totals} />
      <Text fz="sm">
        {isSame && `${w.noDifference} `}
        {w.deliveries(sum(before), sum(after))} · {w.events(events.judged, events.warmUp)}
        {events.left > 0 && ` · ${w.eventsLeft(events.left)}`}
      </Text>
      {unrecorded.length > 0 && (
        <Alert color="yellow" title={w.unrecorded}>
          {unrecorded.map(({ set, lookup, count, events: some }) => (
            <Text key={`${set} ${lookup}`} fz="sm" component="div">
              {w[set]}: <Code>{lookup}</Code> × {count}{' '}
              {some.map((id) => (
                <Box key={id} component="span" mr={4}>
                  <EventLink id={id}>{id.slice(0, 8)}…</EventLink>
                </Box>
              ))}
            </Text>
          ))}
        </Alert>
      )}
      {rules.length > 0 && (
        <Card withBorder padding="sm" component="section" aria-label={w.byRule}>
          <Title order={2} fz="h4" mb="xs">
            {w.byRule}
          </Title>
          <List label={w.byRule} rows={rules} columns={ruleColumns} keyOf={({ rule }) => rule} />
        </Card>
      )}
      {targets.length > 0 && (
        <Card withBorder padding="sm" component="section" aria-label={w.byTarget}>
          <Title order={2} fz="h4" mb="xs">
            {w.byTarget}
          </Title>
          <List
            label={w.byTarget}
            rows={targets.slice(0, MOST_TARGETS)}
            columns={targetColumns}
            keyOf={(row) => String(targets.indexOf(row))}
          />
        </Card>
      )}
      {rules
        .filter(({ examples }) => examples.length > 0)
        .map(({ rule, examples }) => (
          <Box key={rule} component="section" aria-label={w.examplesOf(rule)}>
            <Title order={2} fz="h4" mb="xs" style={{ overflowWrap: 'anywhere' }}>
              {w.examplesOf(rule)}
            </Title>
            <Stack gap="sm">
              {examples.map((example, at) => (
                <ExampleCard key={at} example={example} rule={rule} />
              ))}
            </Stack>
          </Box>
        ))}
      {examplesLeft > 0 && (
        <Text fz="sm" c="dimmed">
          {w.examplesLeft(examplesLeft)}
        </Text>
      )}
    </Stack>
  );
}

function countColumns<T extends { readonly counts: Counts }>(
  w: (typeof BACKTEST_WORDS)['en'],
): readonly Column<T>[] {
  return [
    { title: w.before, align: 'right', cell: ({ counts }) => sumsOf(counts).before },
    { title: w.after, align: 'right', cell: ({ counts }) => sumsOf(counts).after },
    ...CHANGES.filter((change) => change !== 'same').map((change): Column<T> => ({
      title: w[change],
      align: 'right',
      cell: ({ counts }) => (
        <Text
          span
          fz="sm"
          fw={counts[change] === 0 ? 400 : 600}
          c={counts[change] === 0 ? 'dimmed' : undefined}
        >
          {counts[change]}
        </Text>
      ),
    })),
  ];
}

/** On a phone: only what there is. */
function fewColumns<T extends { readonly counts: Counts }>(
  w: (typeof BACKTEST_WORDS)['en'],
): readonly Column<T>[] {
  return [
    {
      title: w.result,
      cell: ({ counts }) => {
        const { before, after } = sumsOf(counts);
        const different = CHANGES.filter((change) => change !== 'same' && counts[change] > 0);
        return (
          <Group gap={4}>
            {w.deliveries(before, after)}
            {different.map((change) => (
              <ChangeMark key={change} change={change} text={`${counts[change]} ${w[change]}`} />
            ))}
          </Group>
        );
      },
    },
  ];
}
