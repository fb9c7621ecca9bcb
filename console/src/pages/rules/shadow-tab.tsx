import { Alert, Badge, Group, Select, SimpleGrid, Stack, Text, UnstyledButton } from '@mantine/core';
import { useMemo, useState } from 'react';
import { useLocation } from 'wouter';
import { segment } from '../../api/client.js';
import { useAnswer, usePages } from '../../api/queries.js';
import type { ComparedDelivery, RuleAnswer, ShadowRule } from '../../api/types.js';
import { useFilters } from '../../parts/filters.js';
import { EntityLink, EventLink, RuleLink } from '../../parts/links.js';
import { type Column, List } from '../../parts/list.js';
import { DeliveryState } from '../../parts/marks.js';
import { localeOf, Moment } from '../../parts/moment.js';
import { Problem } from '../../parts/problem.js';
import { SHOWN } from '../../words/shown-words.js';
import { useLanguage, useWords } from '../../words/words.js';
import { ShadowDialog } from './shadow-dialog.js';
import { SHADOW_WORDS } from './shadow-words.js';

const STANDINGS = ['same', 'different', 'live', 'shadow'] as const;
type Standing = (typeof STANDINGS)[number];
const COLOURS: Readonly<Record<Standing, string>> = {
  same: 'teal',
  different: 'red',
  live: 'orange',
  shadow: 'grape',
};
const DAYS = ['1', '7', '30'] as const;
const DAY_MS = 86_400_000;

/** How a rule in shadow mode stands to its live twin: four counts, and what they count. */
export function ShadowTab({ rule }: { readonly rule: RuleAnswer }) {
  const w = useWords(SHADOW_WORDS);
  const shown = useWords(SHOWN);
  const [, go] = useLocation();
  const { filters, set } = useFilters(['standing', 'days']);
  const [opened, setOpened] = useState<string | null>(null);
  const standing = STANDINGS.find((one) => one === filters.standing) ?? null;
  const days = DAYS.find((one) => one === filters.days) ?? '7';
  const since = useMemo(() => new Date(Date.now() - Number(days) * DAY_MS).toISOString(), [days]);
  const path = `/shadow/${segment(rule.name)}`;
  const counts = useAnswer<ShadowRule>(path, { since }, { every: 30_000, keep: true });
  const pages = usePages<ComparedDelivery>(`${path}/deliveries`, { since, standing }, { every: 30_000 });

  const columns: readonly Column<ComparedDelivery>[] = [
    {
      title: w.standing,
      width: 120,
      cell: (row) => (
        <Badge color={COLOURS[row.standing]} variant="light" tt="none">
          {w[`standing ${row.standing}`]}
        </Badge>
      ),
    },
    {
      title: w.decided,
      width: 130,
      cell: ({ decidedAt, eventId }) => (
        <EventLink id={eventId}>
          <Moment time={decidedAt} />
        </EventLink>
      ),
    },
    { title: shown.action, oneLine: 160, cell: ({ action }) => action },
    { title: shown.entity, oneLine: 220, cell: ({ entity }) => <EntityLink entity={entity} /> },
    {
      title: w.liveSide,
      oneLine: 240,
      cell: ({ live }) =>
        live === null ? (
          '–'
        ) : (
          <Stack gap={2} align="flex-start">
            <Text span fz="sm">
              {live.target}
            </Text>
            <DeliveryState state={live.state} />
          </Stack>
        ),
    },
    {
      title: w.shadowSide,
      oneLine: 240,
      cell: ({ shadow }) =>
        shadow === null ? (
          '–'
        ) : (
          <Stack gap={2} align="flex-start">
            <Text span fz="sm">
              {shadow.target}
            </Text>
            <Badge color={shadow.state === 'dead' ? 'red' : 'gray'} variant="light" tt="none">
              {w[`state ${shadow.state}`]}
            </Badge>
          </Stack>
        ),
    },
  ];

  if (counts.error && !counts.data)
    return <Problem error={counts.error} retry={() => void counts.refetch()} />;
  return (
    <Stack>
      <Group justify="space-between" align="flex-end">
        <Text size="sm" maw={640}>
          {w.about}{' '}
          {rule.shadowOf !== null && (
            <>
              {w.beside}: <RuleLink name={rule.shadowOf} />
            </>
          )}
        </Text>
        <Select
          label={w.within}
          data={DAYS.map((one) => ({ value: one, label: w[`days ${one}`] }))}
          value={days}
          onChange={(next) => {
            set({ days: next === '7' ? null : next });
          }}
          allowDeselect={false}
          w={180}
        />
      </Group>
      {rule.shadowOf === null && <Alert color="gray">{w.alone}</Alert>}
      <Counts
        counts={counts.data?.counts}
        chosen={standing}
        choose={(next) => {
          set({ standing: next });
        }}
      />
      {(counts.data?.gathering ?? 0) > 0 && (
        <Text size="sm" c="dimmed">
          {w.gathering(counts.data?.gathering ?? 0)}
        </Text>
      )}
      <List
        label={standing === null ? w.shadow : w[`standing ${standing}`]}
        rows={pages.items}
        columns={columns}
        keyOf={({ id }) => id}
        open={({ shadow, live }) => {
          if (shadow) setOpened(shadow.id);
          else if (live) go(`/deliveries/${segment(live.id)}`);
        }}
        error={pages.error}
        retry={() => void pages.refetch()}
        empty={standing === null ? w.empty : w.emptyHere}
        more={pages.hasNextPage ? () => void pages.fetchNextPage() : undefined}
        loadingMore={pages.isFetchingNextPage}
      />
      {opened !== null && (
        <ShadowDialog
          id={opened}
          close={() => {
            setOpened(null);
          }}
        />
      )}
    </Stack>
  );
}

/** Each chooses what the list shows; once more, all. */
function Counts({
  counts,
  chosen,
  choose,
}: {
  readonly counts: ShadowRule['counts'] | undefined;
  readonly chosen: Standing | null;
  readonly choose: (standing: Standing | null) => void;
}) {
  const w = useWords(SHADOW_WORDS);
  const { language } = useLanguage();
  return (
    <SimpleGrid cols={{ base: 2, sm: 4 }} role="group" aria-label={w.standing}>
      {STANDINGS.map((one) => (
        <UnstyledButton
          key={one}
          aria-pressed={chosen === one}
          onClick={() => {
            choose(chosen === one ? null : one);
          }}
          p="sm"
          style={{
            border: '1px solid var(--mantine-color-default-border)',
            borderRadius: 'var(--mantine-radius-md)',
            ...(chosen === one ? { borderColor: `var(--mantine-color-${COLOURS[one]}-filled)` } : {}),
          }}
        >
          <Text size="sm" fw={600}>
            {w[`standing ${one}`]}
          </Text>
          <Text fz={26} fw={650} lh={1.2}>
            {counts === undefined ? '…' : counts[one].toLocaleString(localeOf(language))}
          </Text>
          <Text size="xs" c="dimmed">
            {w[`standing ${one} about`]}
          </Text>
        </UnstyledButton>
      ))}
    </SimpleGrid>
  );
}
