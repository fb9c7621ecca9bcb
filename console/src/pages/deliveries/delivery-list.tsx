import { Badge, Box, Button, Checkbox, Group, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { useAskOnChanges } from '../../api/ask-on-changes.js';
import { segment } from '../../api/client.js';
import { useAnswer, usePages } from '../../api/queries.js';
import { useMay } from '../../api/session.js';
import type { Delivery, Overview } from '../../api/types.js';
import { FoldedFilters } from '../../parts/folded-filters.js';
import { useFilters } from '../../parts/filters.js';
import { EntityLink, RuleLink } from '../../parts/links.js';
import { type Column, List } from '../../parts/list.js';
import { DeliveryState } from '../../parts/marks.js';
import { localeOf, Moment } from '../../parts/moment.js';
import { PageHead } from '../../parts/page-head.js';
import { SHOWN } from '../../words/shown-words.js';
import { useLanguage, useWords } from '../../words/words.js';
import { actsOf } from './acts.js';
import { ActsBar } from './acts-bar.js';
import { DELIVERY_FILTERS, type DeliveryFilters } from './bulk-filter.js';
import { CodeMark } from './code-mark.js';
import { DeliveryFilterBar } from './delivery-filters.js';
import { DELIVERIES } from './words.js';

const STATES = ['held', 'deferred', 'pending', 'delivering', 'delivered', 'dead', 'cancelled'] as const;

export default function DeliveryList() {
  const w = useWords(DELIVERIES);
  const shown = useWords(SHOWN);
  const may = useMay('operator');
  const [, go] = useLocation();
  const { filters, set, clear, any } = useFilters(DELIVERY_FILTERS);
  const list = usePages<Delivery>('/deliveries', filters);
  const counts = useAnswer<Overview>('/overview', {}, { every: 15_000 }).data?.states;
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  useAskOnChanges('deliveries', '/deliveries', '/overview');
  const rows = list.items;

  const choose: Column<Delivery> = {
    title: '',
    width: 40,
    cell: ({ id, state }) =>
      actsOf(state).length > 0 && (
        <Box
          onClick={(click) => {
            click.stopPropagation();
          }}
        >
          <Checkbox
            size="sm"
            aria-label={w.chooseOne(id)}
            checked={chosen.has(id)}
            onChange={({ currentTarget }) => {
              const next = new Set(chosen);
              if (currentTarget.checked) next.add(id);
              else next.delete(id);
              setChosen(next);
            }}
          />
        </Box>
      ),
  };
  const columns: readonly Column<Delivery>[] = [
    ...(may ? [choose] : []),
    { title: shown.state, width: 110, cell: ({ state }) => <DeliveryState state={state} /> },
    {
      title: `${shown.rule} · ${shown.action}`,
      oneLine: 220,
      cell: ({ rule, action }) => (
        <Box style={{ overflowWrap: 'anywhere' }}>
          <RuleLink name={rule} />
          <Text size="xs" c="dimmed">
            {action}
          </Text>
        </Box>
      ),
    },
    {
      title: `${shown.target} · ${shown.entity}`,
      oneLine: 260,
      cell: ({ target, entity }) => (
        <>
          <Text size="sm" truncate title={target}>
            {target}
          </Text>
          {entity !== '' && (
            <Text size="xs" component="div" style={{ overflowWrap: 'anywhere' }}>
              <EntityLink entity={entity} />
            </Text>
          )}
        </>
      ),
    },
    { title: shown.attempt, width: 76, align: 'right', cell: ({ attempt }) => attempt },
    {
      title: w.dueOrUpdated,
      width: 130,
      cell: ({ state, dueAt, updatedAt }) =>
        state === 'pending' || state === 'deferred' ? (
          <>
            {shown.due} <Moment time={dueAt} />
          </>
        ) : (
          <Moment time={updatedAt} />
        ),
    },
    {
      title: w.why,
      cell: ({ code, reason }) => (
        <Stack gap={0}>
          {code !== null && <CodeMark code={code} />}
          {reason !== null && (
            <Text size="xs" c="dimmed" lineClamp={2} style={{ overflowWrap: 'anywhere' }}>
              {reason}
            </Text>
          )}
          {code === null && reason === null && '–'}
        </Stack>
      ),
    },
  ];

  return (
    <>
      <PageHead title={shown.deliveries} about={w.about} />
      <States
        counts={counts}
        state={filters.state}
        choose={(state) => {
          set({ state });
          setChosen(new Set());
        }}
      />
      <FoldedFilters filters={{ ...filters, state: '' }}>
        <DeliveryFilterBar filters={filters} set={set} clear={clear} any={any} />
      </FoldedFilters>
      <ActsBar
        rows={rows ?? []}
        chosen={chosen}
        choose={(ids) => {
          setChosen(new Set(ids));
        }}
        filters={filters}
      />
      <List
        label={shown.deliveries}
        rows={rows}
        columns={columns}
        keyOf={({ id }) => id}
        open={({ id }) => {
          go(`/deliveries/${segment(id)}`);
        }}
        error={list.error}
        retry={() => void list.refetch()}
        empty={any ? shown.nothingFits : w.empty}
        more={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
        loadingMore={list.isFetchingNextPage}
      />
    </>
  );
}

/** The states, each with how many stand in it now. */
function States({
  counts,
  state,
  choose,
}: {
  readonly counts: Overview['states'] | undefined;
  readonly state: DeliveryFilters['state'];
  readonly choose: (state: string) => void;
}) {
  const w = useWords(DELIVERIES);
  const shown = useWords(SHOWN);
  const { language } = useLanguage();
  return (
    <Group gap={6} mb="sm" role="group" aria-label={shown.state}>
      {(['', ...STATES] as const).map((one) => {
        const count = one === '' ? undefined : (counts?.[one] ?? undefined);
        const ended = one === 'delivered' || one === 'cancelled';
        return (
          <Button
            key={one}
            size="xs"
            variant={state === one ? 'filled' : 'default'}
            aria-pressed={state === one}
            {...(ended && count !== undefined ? { title: w.lastDay } : {})}
            {...(count === undefined
              ? {}
              : {
                  rightSection: (
                    <Badge
                      size="sm"
                      variant={state === one ? 'white' : 'default'}
                      circle={count < 10}
                      {...(ended ? { 'aria-label': `${String(count)} ${w.lastDay}` } : {})}
                    >
                      {count.toLocaleString(localeOf(language))}
                    </Badge>
                  ),
                })}
            onClick={() => {
              choose(one);
            }}
          >
            {one === '' ? shown.all : shown[one]}
          </Button>
        );
      })}
    </Group>
  );
}
