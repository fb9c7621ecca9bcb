import { Badge, Button, Card, Code, Group, Select, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import { api, segment } from '../../api/client.js';
import { askAgain, usePages } from '../../api/queries.js';
import type { Activated, RuleSetActivation } from '../../api/types.js';
import { Confirm } from '../../parts/confirm.js';
import { useFilters } from '../../parts/filters.js';
import { To } from '../../parts/links.js';
import { type Column, List } from '../../parts/list.js';
import { Moment } from '../../parts/moment.js';
import { OperatorButton } from '../../parts/operator-button.js';
import { PageHead } from '../../parts/page-head.js';
import { tellDone } from '../../parts/problem.js';
import { Copy } from '../../parts/texts.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { StartBacktest } from '../backtests/start-backtest.js';
import { RuleSetCompare } from './rule-set-compare.js';
import { shortHash } from './rule-facts.js';
import { RULES_WORDS } from './words.js';

/** Every rule set that was live: who made it so and why, what two of them say differently, and the way back. */
export default function RuleSetList() {
  const w = useWords(RULES_WORDS);
  const shown = useWords(SHOWN);
  const sets = usePages<RuleSetActivation>('/rule-sets', { limit: 50 }, { every: 15_000 });
  const { filters, set } = useFilters(['from', 'to']);
  const [chosen, setChosen] = useState<RuleSetActivation | null>(null);
  const live = sets.items?.find((one) => one.live) ?? null;

  const columns: readonly Column<RuleSetActivation>[] = [
    {
      title: w.ruleSets,
      cell: ({ number, hash, live: isLive }) => (
        <Group gap={6}>
          <Text span fz="sm" fw={600}>
            {w.number(number)}
          </Text>
          <Code title={hash}>{shortHash(hash)}</Code>
          <Copy text={hash} />
          {isLive && (
            <Badge color="teal" variant="light">
              {w.live}
            </Badge>
          )}
        </Group>
      ),
    },
    { title: w.activated, cell: ({ activatedAt }) => <Moment time={activatedAt} exact /> },
    { title: w.who, cell: ({ actor }) => (actor === null ? w.byFiles : actor) },
    {
      title: shown.reason,
      cell: ({ actor, reason }) => (
        <Text fz="sm" style={{ overflowWrap: 'anywhere' }} lineClamp={4}>
          {actor === null || reason === '' ? '–' : reason}
        </Text>
      ),
    },
    {
      title: '',
      align: 'right',
      cell: (row) =>
        row.live ? null : (
          <Group gap="xs" display="inline-flex">
            {live && row.hash !== live.hash && (
              <Button
                variant="default"
                size="xs"
                aria-label={`${w.compareWithLive}: ${w.number(row.number)}`}
                onClick={() => set({ from: row.hash, to: live.hash })}
              >
                {w.compareWithLive}
              </Button>
            )}
            {row.hash !== live?.hash && (
              <OperatorButton
                size="xs"
                variant="light"
                label={`${w.makeLive}: ${w.number(row.number)}`}
                onClick={() => setChosen(row)}
              >
                {w.makeLive}
              </OperatorButton>
            )}
          </Group>
        ),
    },
  ];

  return (
    <>
      <PageHead title={w.ruleSets} about={<To href="/rules">{w.everyRule}</To>} />
      <Stack>
        <Text fz="sm" c="dimmed" maw={760}>
          {w.ruleSetsAbout}
        </Text>
        <List
          label={w.ruleSets}
          rows={sets.items}
          columns={columns}
          keyOf={({ id }) => id}
          error={sets.error}
          retry={() => void sets.refetch()}
          empty={w.noneLiveAbout}
          more={sets.hasNextPage ? () => void sets.fetchNextPage() : undefined}
          loadingMore={sets.isFetchingNextPage}
        />
        {sets.items && sets.items.length > 0 && (
          <Comparison sets={sets.items} from={filters.from} to={filters.to} choose={(next) => set(next)} />
        )}
      </Stack>
      {chosen && (
        <Confirm
          title={w.makeLiveTitle(shortHash(chosen.hash))}
          act={w.activate}
          reason="must"
          close={() => setChosen(null)}
          done={async (reason) => {
            const made = await api.post<Activated>(`/rule-sets/${segment(chosen.hash)}/activate`, { reason });
            const ended = Object.values(made.cancelledTimers).reduce((sum, one) => sum + one, 0);
            tellDone(`${w.madeLive(shortHash(made.hash))}${ended > 0 ? ` ${w.timersEnded(ended)}` : ''}`);
            await askAgain('/rule-sets', '/rules', '/findings', '/overview', '/timers');
          }}
        >
          {w.makeLiveAbout(chosen.number)}
        </Confirm>
      )}
    </>
  );
}

function Comparison({
  sets,
  from,
  to,
  choose,
}: {
  readonly sets: readonly RuleSetActivation[];
  readonly from: string;
  readonly to: string;
  readonly choose: (next: { readonly from?: string | null; readonly to?: string | null }) => void;
}) {
  const w = useWords(RULES_WORDS);
  // One set may have been live several times: it is one to compare, named by the latest.
  const firsts = sets.filter(({ hash }, at) => sets.findIndex((one) => one.hash === hash) === at);
  const options = firsts.map(({ hash, number, live }) => ({
    value: hash,
    label: `${w.number(number)} · ${shortHash(hash)}${live ? ` · ${w.live}` : ''}`,
  }));
  for (const hash of [from, to])
    if (hash !== '' && !options.some(({ value }) => value === hash))
      options.push({ value: hash, label: shortHash(hash) });
  // Else the live one against the one before it.
  const [newest, earlier] = firsts;
  const [one, other] = [from === '' ? (earlier?.hash ?? '') : from, to === '' ? (newest?.hash ?? '') : to];
  if (options.length < 2) return null;
  return (
    <Card withBorder component="section" aria-label={w.compare}>
      <Title order={2} fz="h4" mb="sm">
        {w.compare}
      </Title>
      <Group mb="md" gap="sm">
        <Select
          label={w.from}
          data={options}
          value={one}
          allowDeselect={false}
          w={300}
          maw="100%"
          onChange={(next) => choose({ from: next })}
        />
        <Select
          label={w.to}
          data={options}
          value={other}
          allowDeselect={false}
          w={300}
          maw="100%"
          onChange={(next) => choose({ to: next })}
        />
        {one !== other && (
          <Group mt="auto">
            <StartBacktest before={one} after={{ ruleSet: other }} />
          </Group>
        )}
      </Group>
      {one === other ? <Text fz="sm">{w.sameSets}</Text> : <RuleSetCompare from={one} to={other} />}
    </Card>
  );
}
