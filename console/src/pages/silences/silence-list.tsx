import { Group, Stack, Text, Title } from '@mantine/core';
import { IconBellOff } from '@tabler/icons-react';
import { useState } from 'react';
import { useAskOnChanges } from '../../api/ask-on-changes.js';
import { api, segment } from '../../api/client.js';
import { askAgain, usePages } from '../../api/queries.js';
import type { Silence } from '../../api/types.js';
import { Confirm } from '../../parts/confirm.js';
import { type Column, List } from '../../parts/list.js';
import { Moment } from '../../parts/moment.js';
import { OperatorButton } from '../../parts/operator-button.js';
import { PageHead } from '../../parts/page-head.js';
import { tellDone } from '../../parts/problem.js';
import { useWords } from '../../words/words.js';
import { Matcher, matcherText } from './matcher.js';
import { NewSilenceForm } from './new-silence.js';
import { TimeLeft } from './time-left.js';
import { SILENCE_WORDS } from './words.js';

const STATES = ['active', 'pending', 'ended'] as const;

/** What people have silenced: in force, to come, and what has ended. */
export default function SilenceList() {
  const w = useWords(SILENCE_WORDS);
  const [adding, setAdding] = useState(false);
  const [ending, setEnding] = useState<Silence | null>(null);
  useAskOnChanges('silences', '/silences');
  return (
    <>
      <PageHead title={w.title} about={w.about}>
        <OperatorButton
          leftSection={<IconBellOff size={16} />}
          onClick={() => {
            setAdding(true);
          }}
        >
          {w.add}
        </OperatorButton>
      </PageHead>
      <Stack gap="lg">
        {STATES.map((state) => (
          <Part key={state} state={state} end={setEnding} />
        ))}
      </Stack>
      {adding && (
        <NewSilenceForm
          close={() => {
            setAdding(false);
          }}
        />
      )}
      {ending && (
        <Confirm
          title={w.endTitle}
          act={w.endAct}
          reason="may"
          done={async (reason) => {
            await api.post(`/silences/${segment(ending.id)}/end`, reason === '' ? {} : { reason });
            tellDone(w.endDone);
            await askAgain('/silences');
          }}
          close={() => {
            setEnding(null);
          }}
        >
          <Stack gap="xs">
            <Matcher matcher={ending.matcher} />
            <Text size="sm">{w.endAbout}</Text>
          </Stack>
        </Confirm>
      )}
    </>
  );
}

function Part({
  state,
  end,
}: {
  readonly state: Silence['state'];
  readonly end: (silence: Silence) => void;
}) {
  const w = useWords(SILENCE_WORDS);
  const pages = usePages<Silence>(
    '/silences',
    { state, limit: state === 'ended' ? 20 : 200 },
    { every: 30_000 },
  );
  const count = pages.items?.length;
  const what: Column<Silence> = { title: w.what, cell: ({ matcher }) => <Matcher matcher={matcher} /> };
  const why: Column<Silence> = {
    title: w.why,
    cell: ({ reason, author, endedBy }) => (
      <Stack gap={0}>
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          {reason}
        </Text>
        <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
          {w.by} {author}
          {endedBy !== null && <> · {w.endedEarly(endedBy)}</>}
        </Text>
      </Stack>
    ),
  };
  const period: Column<Silence> = {
    title: w.period,
    cell: ({ startsAt, endsAt }) => (
      <Group gap={4}>
        <Moment time={startsAt} exact /> – <Moment time={endsAt} exact />
      </Group>
    ),
  };
  const act: Column<Silence> = {
    title: '',
    align: 'right',
    cell: (silence) => (
      <OperatorButton
        size="compact-sm"
        variant="default"
        label={w.endOne(matcherText(silence.matcher, w.everyRule))}
        onClick={() => {
          end(silence);
        }}
      >
        {w.end}
      </OperatorButton>
    ),
  };
  const columns: readonly Column<Silence>[] =
    state === 'active'
      ? [what, why, { title: w.time, cell: (silence) => <TimeLeft silence={silence} /> }, act]
      : state === 'pending'
        ? [what, why, { title: w.starts, cell: ({ startsAt }) => <Moment time={startsAt} /> }, period, act]
        : [what, why, period];
  return (
    <section aria-labelledby={`silences-${state}`}>
      <Title order={2} fz="h4" id={`silences-${state}`} mb="xs">
        {w[state]}
        {count !== undefined && count > 0 && (
          <Text span c="dimmed" fw={400}>
            {' '}
            {count}
            {pages.hasNextPage && '+'}
          </Text>
        )}
      </Title>
      {count === 0 ? (
        <Text size="sm" c="dimmed">
          {w[`${state}None`]}
        </Text>
      ) : (
        <List
          label={w[state]}
          rows={pages.items}
          columns={columns}
          keyOf={({ id }) => id}
          error={pages.items ? null : pages.error}
          retry={() => void pages.refetch()}
          more={pages.hasNextPage ? () => void pages.fetchNextPage() : undefined}
          loadingMore={pages.isFetchingNextPage}
        />
      )}
    </section>
  );
}
