import { Badge, Group, Stack, Text } from '@mantine/core';
import { useLocation } from 'wouter';
import { segment } from '../../api/client.js';
import { usePages } from '../../api/queries.js';
import type { Backtest } from '../../api/types.js';
import { To } from '../../parts/links.js';
import { type Column, List } from '../../parts/list.js';
import { Moment } from '../../parts/moment.js';
import { PageHead } from '../../parts/page-head.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { shortHash } from '../rules/rule-facts.js';
import { ChangeMark, CHANGES } from './counts.js';
import { BACKTEST_WORDS } from './words.js';

const COLOURS: Readonly<Record<Backtest['state'], string>> = {
  queued: 'gray',
  running: 'blue',
  done: 'teal',
  failed: 'red',
  cancelled: 'gray',
};

export function BacktestState({ state }: { readonly state: Backtest['state'] }) {
  const w = useWords(BACKTEST_WORDS);
  return (
    <Badge color={COLOURS[state]} variant="light" tt="none">
      {w[state]}
    </Badge>
  );
}

/** What is compared, in a few words. */
export function useCompared(): (one: Pick<Backtest, 'before' | 'after'>) => string {
  const w = useWords(BACKTEST_WORDS);
  return ({ before, after }) =>
    after.path === null ? w.setTo(shortHash(before), shortHash(after.ruleSet)) : w.fileOf(after.path);
}

/** The last back-tests. */
export default function BacktestList() {
  const w = useWords(BACKTEST_WORDS);
  const shown = useWords(SHOWN);
  const [, go] = useLocation();
  const compared = useCompared();
  const pages = usePages<Backtest>('/backtests', {}, { every: 5000 });
  const columns: readonly Column<Backtest>[] = [
    { title: w.what, cell: (one) => compared(one) },
    { title: shown.state, cell: ({ state }) => <BacktestState state={state} /> },
    { title: w.result, cell: (one) => <Result of={one} /> },
    {
      title: w.window,
      wide: true,
      cell: ({ since, until }) => (
        <>
          <Moment time={since} /> – <Moment time={until} />
        </>
      ),
    },
    { title: w.by, cell: ({ createdBy }) => createdBy },
    { title: shown.created, cell: ({ createdAt }) => <Moment time={createdAt} /> },
  ];
  return (
    <>
      <PageHead title={w.title} about={w.about} />
      <List
        label={w.title}
        rows={pages.items}
        columns={columns}
        keyOf={({ id }) => id}
        open={({ id }) => go(`/backtests/${segment(id)}`)}
        error={pages.error}
        retry={() => void pages.refetch()}
        empty={
          <Stack gap={4} align="center">
            <Text>{w.empty}</Text>
            <Group gap="md">
              <To href="/try">{w.toTryPad}</To>
              <To href="/rule-sets">{w.toRuleSets}</To>
            </Group>
          </Stack>
        }
        more={pages.hasNextPage ? () => void pages.fetchNextPage() : undefined}
        loadingMore={pages.isFetchingNextPage}
      />
    </>
  );
}

function Result({ of: { summary, state, done, total, code } }: { readonly of: Backtest }) {
  const w = useWords(BACKTEST_WORDS);
  if (summary) {
    const different = CHANGES.filter((change) => change !== 'same' && summary.totals[change] > 0);
    if (different.length === 0) return <Text fz="sm">{w.noDifference}</Text>;
    return (
      <Group gap={4}>
        {different.map((change) => (
          <ChangeMark key={change} change={change} text={`${summary.totals[change]} ${w[change]}`} />
        ))}
      </Group>
    );
  }
  if (state === 'running') return total === null ? w.progressOnly(done) : w.progress(done, total);
  return code ?? '–';
}
