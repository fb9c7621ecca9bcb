import { Group, SegmentedControl, Stack, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { segment } from '../../api/client.js';
import { usePages } from '../../api/queries.js';
import type { ReplayOfMany } from '../../api/types.js';
import { useFilters } from '../../parts/filters.js';
import { To } from '../../parts/links.js';
import { type Column, List } from '../../parts/list.js';
import { Moment } from '../../parts/moment.js';
import { OperatorButton } from '../../parts/operator-button.js';
import { PageHead } from '../../parts/page-head.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { CountsText, ReplayState } from './marks.js';
import { NewReplay } from './new-replay.js';
import { REPLAY_WORDS } from './words.js';

/** Replays, or recalls, the newest first. */
export default function ReplayList() {
  const w = useWords(REPLAY_WORDS);
  const shown = useWords(SHOWN);
  const [, go] = useLocation();
  const { filters, set } = useFilters(['kind']);
  const [making, setMaking] = useState(false);
  const kind = filters.kind === 'recalls' ? 'recalls' : 'replays';
  const pages = usePages<ReplayOfMany>(`/${kind}`, {}, { every: 3000 });
  const columns: readonly Column<ReplayOfMany>[] = [
    { title: w.ordered, cell: ({ createdAt }) => <Moment time={createdAt} /> },
    { title: shown.state, cell: ({ state }) => <ReplayState state={state} /> },
    { title: shown.rule, cell: ({ rule }) => rule ?? w.allRules, oneLine: 220 },
    {
      title: w.progress,
      cell: ({ events: { total, waiting } }) => w.howFar(total - waiting, total),
    },
    { title: w.result, cell: (one) => <CountsText of={one} /> },
    { title: w.by, cell: ({ createdBy }) => createdBy, wide: true },
  ];
  return (
    <>
      <PageHead title={w.title} about={w.about}>
        <OperatorButton leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setMaking(true)}>
          {w.create}
        </OperatorButton>
      </PageHead>
      <SegmentedControl
        mb="md"
        aria-label={w.kinds}
        value={kind}
        data={[
          { value: 'replays', label: w.replays },
          { value: 'recalls', label: w.recalls },
        ]}
        onChange={(next) => set({ kind: next === 'recalls' ? next : null })}
      />
      <List
        label={w[kind]}
        rows={pages.items}
        columns={columns}
        keyOf={({ id }) => id}
        open={({ id }) => go(`/${kind}/${segment(id)}`)}
        error={pages.error}
        retry={() => void pages.refetch()}
        empty={
          <Stack gap={4} align="center">
            <Text>{kind === 'recalls' ? w.emptyRecalls : w.emptyReplays}</Text>
            {kind === 'recalls' && (
              <Group>
                <To href="/rules">{w.toRules}</To>
              </Group>
            )}
          </Stack>
        }
        more={pages.hasNextPage ? () => void pages.fetchNextPage() : undefined}
        loadingMore={pages.isFetchingNextPage}
      />
      {making && <NewReplay close={() => setMaking(false)} />}
    </>
  );
}
