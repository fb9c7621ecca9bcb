import { Drawer, Group, Text } from '@mantine/core';
import { IconPlugConnected } from '@tabler/icons-react';
import { useState } from 'react';
import { useAskOnChanges } from '../../api/ask-on-changes.js';
import { useAnswer } from '../../api/queries.js';
import type { Target, Targets } from '../../api/types.js';
import { useFilters } from '../../parts/filters.js';
import { type Column, List } from '../../parts/list.js';
import { Moment } from '../../parts/moment.js';
import { PageHead } from '../../parts/page-head.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { DrillDialog } from './drill-dialog.js';
import { byUrgency, HealthCell } from './health.js';
import { OperatorButton } from '../../parts/operator-button.js';
import { StateCounts } from './state-counts.js';
import { TargetDetail } from './target-detail.js';
import { TargetName } from './target-name.js';
import { TARGET_WORDS } from './words.js';

/** Where deliveries go. The address may name one (`?target=`): it is opened beside the list. */
export default function TargetList() {
  const w = useWords(TARGET_WORDS);
  const shown = useWords(SHOWN);
  const { filters, set } = useFilters(['target']);
  const { data, error, refetch } = useAnswer<Targets>('/targets', {}, { every: 10_000 });
  useAskOnChanges('deliveries', '/targets');
  const [tested, setTested] = useState<{ readonly target: string | null } | null>(null);
  const rows = data ? [...data.items].sort(byUrgency) : null;
  const opened = rows?.find(({ target }) => target === filters.target) ?? null;

  const columns: readonly Column<Target>[] = [
    { title: shown.target, cell: (row) => <TargetName {...row} /> },
    { title: w.health, cell: (row) => <HealthCell target={row} /> },
    { title: w.standing, cell: (row) => <StateCounts target={row} /> },
    { title: w.lastDelivered, cell: ({ lastDeliveredAt }) => <Last time={lastDeliveredAt} /> },
    {
      title: w.lastFailed,
      cell: ({ lastFailedAt, lastCode }) => (
        <Last time={lastFailedAt} code={lastFailedAt === null ? null : lastCode} />
      ),
    },
    { title: shown.rules, align: 'right', wide: true, cell: ({ rules }) => rules.length },
  ];

  return (
    <>
      <PageHead title={w.title} about={w.about}>
        <OperatorButton
          leftSection={<IconPlugConnected size={16} />}
          onClick={() => {
            setTested({ target: null });
          }}
        >
          {w.testAll}
        </OperatorButton>
      </PageHead>
      <List
        label={w.title}
        rows={rows}
        columns={columns}
        // To viewers several mailboxes have one name.
        keyOf={({ target, rules }) => `${target} ${rules.join(' ')}`}
        open={({ target }) => {
          set({ target });
        }}
        error={data ? null : error}
        retry={() => void refetch()}
        empty={w.empty}
      />
      <Drawer
        opened={opened !== null || (filters.target !== '' && rows !== null)}
        onClose={() => {
          set({ target: null });
        }}
        position="right"
        size="lg"
        title={
          <Text fw={650} style={{ overflowWrap: 'anywhere' }}>
            {filters.target}
          </Text>
        }
        closeButtonProps={{ 'aria-label': shown.close }}
      >
        {opened ? (
          <TargetDetail
            target={opened}
            test={() => {
              setTested({ target: opened.target });
            }}
          />
        ) : (
          <Text>{w.unknownTarget}</Text>
        )}
      </Drawer>
      {tested !== null && (
        <DrillDialog
          target={tested.target}
          close={() => {
            setTested(null);
          }}
        />
      )}
    </>
  );
}

function Last({ time, code }: { readonly time: string | null; readonly code?: string | null }) {
  const w = useWords(TARGET_WORDS);
  if (time === null)
    return (
      <Text span fz="sm" c="dimmed">
        {w.never}
      </Text>
    );
  return (
    <Group gap={6}>
      <Moment time={time} />
      {code !== undefined && code !== null && (
        <Text span ff="monospace" fz="xs">
          {code}
        </Text>
      )}
    </Group>
  );
}
