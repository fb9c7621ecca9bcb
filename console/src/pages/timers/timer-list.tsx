import {
  Autocomplete,
  Badge,
  Button,
  Code,
  Group,
  Select,
  Stack,
  Text,
  TextInput,
  Tooltip,
} from '@mantine/core';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { useAskOnChanges } from '../../api/ask-on-changes.js';
import { api, segment } from '../../api/client.js';
import { askAgain, useAnswer, usePages } from '../../api/queries.js';
import type { Rules, Timer } from '../../api/types.js';
import { Confirm } from '../../parts/confirm.js';
import { useFilters } from '../../parts/filters.js';
import { FoldedFilters } from '../../parts/folded-filters.js';
import { EntityLink, EventLink, RuleLink } from '../../parts/links.js';
import { type Column, List } from '../../parts/list.js';
import { exactMoment, Moment } from '../../parts/moment.js';
import { OperatorButton } from '../../parts/operator-button.js';
import { PageHead } from '../../parts/page-head.js';
import { tellDone } from '../../parts/problem.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { Ladder } from './ladder.js';
import { ladderOf, useRuleSteps } from './ladder-steps.js';
import { MomentInput } from '../../parts/moment-input.js';
import { TIMER_WORDS } from './words.js';

const COLOURS: Readonly<Record<Timer['state'], string>> = {
  armed: 'blue',
  asking: 'yellow',
  finished: 'teal',
  cancelled: 'gray',
};

/** The ladders of escalations, those that are due first. */
export default function TimerList() {
  const w = useWords(TIMER_WORDS);
  const shown = useWords(SHOWN);
  const [, go] = useLocation();
  const { filters, set, clear, any } = useFilters(['state', 'rule', 'entity', 'dueBefore']);
  const pages = usePages<Timer>('/timers', filters, { every: 10_000 });
  const rules = useAnswer<Rules>('/rules').data?.items ?? [];
  const steps = useRuleSteps((pages.items ?? []).map(({ rule }) => rule));
  const [cancelled, setCancelled] = useState<Timer | null>(null);
  useAskOnChanges('deliveries', '/timers');

  const reasons: Readonly<Record<string, string>> = {
    CONDITIONS_FALSE: w.CONDITIONS_FALSE,
    CANCEL_ON: w.CANCEL_ON,
    PROCESS_ENDED: w.PROCESS_ENDED,
    NOT_PENDING: w.NOT_PENDING,
    RULE_OFF: w.RULE_OFF,
    RULE_GONE: w.RULE_GONE,
    CALENDAR_MISSING: w.CALENDAR_MISSING,
    KEYS_DISAGREE: w.KEYS_DISAGREE,
    FAILED: w.FAILED,
    CANCELLED_BY_PERSON: w.CANCELLED_BY_PERSON,
  };

  const columns: readonly Column<Timer>[] = [
    {
      title: shown.due,
      cell: ({ dueAt, state }) =>
        state === 'armed' || state === 'asking' ? (
          <Stack gap={0}>
            <Text span fz="sm" fw={600}>
              <Moment time={dueAt} />
            </Text>
            <Text span fz="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }}>
              {exactMoment(dueAt)}
            </Text>
          </Stack>
        ) : (
          <Moment time={dueAt} exact />
        ),
    },
    {
      title: w.steps,
      cell: (row) => (
        <Stack gap={4}>
          <Ladder steps={ladderOf(row, steps.get(row.rule))} ended={row.state === 'cancelled'} />
          {row.code !== null && (
            <Text size="xs" style={{ overflowWrap: 'anywhere' }}>
              {reasons[row.code] ?? ''} <Code fz={11}>{row.code}</Code>
              {row.reason !== null && <> {row.reason}</>}
            </Text>
          )}
        </Stack>
      ),
    },
    { title: shown.rule, cell: ({ rule }) => <RuleLink name={rule} /> },
    {
      title: w.about_,
      cell: ({ subject, entity }) => (
        <Stack gap={0}>
          {subject !== entity && (
            <Text span fz="sm" style={{ overflowWrap: 'anywhere' }}>
              {subject}
            </Text>
          )}
          <Text span fz={subject === entity ? 'sm' : 'xs'}>
            <EntityLink entity={entity} />
          </Text>
        </Stack>
      ),
    },
    {
      title: w.armedBy,
      wide: true,
      cell: ({ eventId, baseTime }) => (
        <EventLink id={eventId}>
          {w.theEvent} <Moment time={baseTime} />
        </EventLink>
      ),
    },
    {
      title: shown.state,
      cell: ({ state, updatedAt }) => (
        <Stack gap={0} align="flex-start">
          <Tooltip label={w[`${state}About`]}>
            <Badge color={COLOURS[state]} variant="light" tt="none">
              {w[state]}
            </Badge>
          </Tooltip>
          {(state === 'finished' || state === 'cancelled') && (
            <Text span fz="xs" c="dimmed">
              <Moment time={updatedAt} />
            </Text>
          )}
        </Stack>
      ),
    },
    {
      title: '',
      align: 'right',
      cell: (row) =>
        row.state === 'armed' || row.state === 'asking' ? (
          <OperatorButton
            size="compact-sm"
            variant="default"
            label={w.cancelOne(row.subject)}
            onClick={() => {
              setCancelled(row);
            }}
          >
            {shown.cancel}
          </OperatorButton>
        ) : null,
    },
  ];

  return (
    <>
      <PageHead title={w.title} about={w.about} />
      <FoldedFilters filters={filters}>
        <Group mb="md" gap="sm" align="flex-end">
          <Select
            label={shown.state}
            w={150}
            allowDeselect={false}
            value={filters.state}
            data={[
              { value: '', label: w.toCome },
              ...(['armed', 'asking', 'finished', 'cancelled'] as const).map((value) => ({
                value,
                label: w[value],
              })),
            ]}
            onChange={(state) => {
              set({ state });
            }}
          />
          <Autocomplete
            label={shown.rule}
            placeholder={shown.all}
            w={220}
            value={filters.rule}
            data={rules.map(({ name }) => name)}
            limit={20}
            clearable
            onChange={(rule) => {
              set({ rule });
            }}
          />
          <TextInput
            label={shown.process}
            w={240}
            placeholder={w.entityHint}
            value={filters.entity}
            onChange={(change) => {
              set({ entity: change.currentTarget.value.trim() });
            }}
          />
          <MomentInput
            label={w.dueBefore}
            value={filters.dueBefore}
            change={(dueBefore) => {
              set({ dueBefore });
            }}
          />
          {any && (
            <Button variant="subtle" onClick={clear}>
              {shown.clearFilters}
            </Button>
          )}
        </Group>
      </FoldedFilters>
      <List
        label={w.title}
        rows={pages.items}
        columns={columns}
        keyOf={({ id }) => id}
        open={({ entity }) => {
          go(`/processes/${segment(entity)}`);
        }}
        error={pages.items ? null : pages.error}
        retry={() => void pages.refetch()}
        empty={any ? shown.nothingFits : w.empty}
        more={pages.hasNextPage ? () => void pages.fetchNextPage() : undefined}
        loadingMore={pages.isFetchingNextPage}
      />
      {cancelled && (
        <Confirm
          title={w.cancelTitle}
          act={w.cancelTimer}
          colour="red"
          reason="may"
          done={async (reason) => {
            await api.post(`/timers/${segment(cancelled.id)}/cancel`, reason === '' ? {} : { reason });
            tellDone(w.cancelDone);
            await askAgain('/timers', '/overview', '/entities');
          }}
          close={() => {
            setCancelled(null);
          }}
        >
          <Stack gap="xs">
            <Text size="sm">{w.cancelAbout(cancelled.rule, cancelled.step)}</Text>
            <Code style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
              {cancelled.subject} · {cancelled.entity}
            </Code>
          </Stack>
        </Confirm>
      )}
    </>
  );
}
