import {
  Alert,
  Anchor,
  Autocomplete,
  Button,
  Card,
  Group,
  Skeleton,
  Stack,
  Tabs,
  Text,
  Title,
} from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ApiProblem } from '../../api/client.js';
import { useAnswer } from '../../api/queries.js';
import type { EventDetail, ExplainedEvaluation, ExplainedEvaluations, Rules } from '../../api/types.js';
import { useFilters } from '../../parts/filters.js';
import { Moment } from '../../parts/moment.js';
import { Problem } from '../../parts/problem.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { RuleVerdict } from './rule-verdict.js';
import { standingOf } from './why.js';
import { EVENTS } from './words.js';

/** So many rules that did not match are explained at first, and with a click. */
const [FEW, MANY] = [50, 500];
/** What is shown at once; the others are of no interest mostly. */
const TELLING = ['matched', 'near miss', 'error', 'unknown'] as const;

/** What each rule said of an event, and why: one evaluation beside the other. */
export function RuleVerdicts({ event }: { readonly event: EventDetail }) {
  const w = useWords(EVENTS);
  const shown = useWords(SHOWN);
  const { filters, set } = useFilters(['rule', 'occasion']);
  const [limit, setLimit] = useState(FEW);
  const { data, error, refetch } = useExplanations(event.id, filters.rule, limit);
  const items = data?.items ?? [];
  const chosen = items.find(({ occasion }) => occasion === filters.occasion) ?? items[0];
  return (
    <Card withBorder padding="md">
      <Group justify="space-between" mb="xs" gap="xs">
        <Title order={2} fz="h4">
          {w.why}
        </Title>
        <RuleFilter value={filters.rule} apply={(rule) => set({ rule })} />
      </Group>
      {filters.rule !== '' && (
        <Anchor component="button" type="button" size="sm" mb="xs" py={4} onClick={() => set({ rule: null })}>
          ← {w.allRules}
        </Anchor>
      )}
      {error !== null ? (
        <Problem error={error} retry={() => void refetch()} />
      ) : data === undefined ? (
        <Stack gap="xs" aria-busy="true" aria-label={shown.loading}>
          {[0, 1, 2, 3].map((one) => (
            <Skeleton key={one} height={52} />
          ))}
        </Stack>
      ) : chosen === undefined ? (
        <Text className="quiet" size="sm">
          {filters.rule !== ''
            ? w.noSuchRule
            : event.state === 'quarantined'
              ? w.quarantinedAbout
              : event.state === 'decided'
                ? w.noRules
                : w.undecidedYet}
        </Text>
      ) : items.length === 1 ? (
        <Evaluation event={event} told={chosen} explainMore={() => setLimit(MANY)} />
      ) : (
        <Tabs
          value={chosen.occasion}
          onChange={(occasion) => set({ occasion })}
          keepMounted={false}
          variant="outline"
        >
          <Tabs.List mb="xs">
            {items.map(({ occasion }) => (
              <Tabs.Tab key={occasion} value={occasion}>
                <OccasionName occasion={occasion} />
              </Tabs.Tab>
            ))}
          </Tabs.List>
          <Tabs.Panel value={chosen.occasion}>
            <Evaluation
              key={chosen.occasion}
              event={event}
              told={chosen}
              explainMore={() => setLimit(MANY)}
            />
          </Tabs.Panel>
        </Tabs>
      )}
    </Card>
  );
}

/** The service explains one event at a time for a user: it is asked again until it is one's turn. */
function useExplanations(eventId: string, rule: string, limit: number) {
  const path = `/events/${eventId}/evaluations`;
  const query = { rule, limit: rule === '' ? limit : null };
  return useQuery({
    queryKey: [path, query],
    queryFn: ({ signal }) => api.get<ExplainedEvaluations>(path, query, signal),
    staleTime: 10_000,
    retry: (count, error) =>
      error instanceof ApiProblem && (error.status === 429 ? count < 20 : error.status === 0 && count < 3),
    retryDelay: (count) => Math.min(250 * 2 ** count, 1000),
  });
}

function OccasionName({ occasion }: { readonly occasion: string }) {
  const w = useWords(EVENTS);
  const [kind = '', rule, step] = occasion.split(':');
  if (kind === 'live') return <>{w.live_}</>;
  if (kind === 'settle') return <>{rule === undefined ? w.settle : `${w.settle}: ${rule}`}</>;
  if (kind === 'step') return <>{w.step(`${rule ?? ''} / ${step ?? ''}`)}</>;
  if (kind === 'replay') return <>{`${w.replay} ${(rule ?? '').slice(-6)}`}</>;
  if (kind === 'recall') return <>{`${w.recall} ${(rule ?? '').slice(-6)}`}</>;
  return <>{occasion}</>;
}

/** Names a rule, also one that does not listen to the event. */
function RuleFilter({ value, apply }: { readonly value: string; readonly apply: (rule: string) => void }) {
  const w = useWords(EVENTS);
  const { data } = useAnswer<Rules>('/rules');
  const [typed, setTyped] = useState(value);
  const [from, setFrom] = useState(value);
  if (from !== value) {
    setFrom(value);
    setTyped(value);
  }
  return (
    <Autocomplete
      size="xs"
      w={240}
      maw="100%"
      aria-label={w.filterRule}
      placeholder={w.filterRule}
      data={data?.items.map(({ name }) => name) ?? []}
      value={typed}
      maxLength={200}
      clearable
      onChange={(text) => {
        setTyped(text);
        if (text === '' && value !== '') apply('');
      }}
      onOptionSubmit={apply}
      onKeyDown={(key) => {
        if (key.key === 'Enter' && typed.trim() !== value) apply(typed.trim());
      }}
    />
  );
}

function Evaluation({
  event,
  told,
  explainMore,
}: {
  readonly event: EventDetail;
  readonly told: ExplainedEvaluation;
  readonly explainMore: () => void;
}) {
  const w = useWords(EVENTS);
  const { explanations, counts, suppressions, occasion } = told;
  const telling = explanations
    .filter((one) => TELLING.some((standing) => standing === standingOf(one)))
    .sort((a, b) => rankOf(a) - rankOf(b));
  const others = explanations.filter((one) => !telling.includes(one));
  // What one comes here for is open already: the first rule that nearly fired, or the only one that was asked for.
  const first =
    explanations.length === 1
      ? explanations[0]
      : (telling.find((one) => standingOf(one) !== 'matched') ?? telling[0]);
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set(first ? [first.rule] : []));
  const [othersShown, setOthersShown] = useState(telling.length === 0);
  const toggle = (rule: string): void => {
    const next = new Set(opened);
    if (!next.delete(rule)) next.add(rule);
    setOpened(next);
  };
  const shown = othersShown ? [...telling, ...others] : telling;
  const allOpen = shown.every(({ rule }) => opened.has(rule));
  const unmatched = counts === null ? 0 : counts['not matched'] + counts['near miss'];
  const explained = explanations.filter(({ verdict }) => verdict.verdict === 'not matched').length;
  return (
    <>
      <Group justify="space-between" gap="xs">
        <Text size="xs" className="quiet" component="div">
          {w.decidedAt} <Moment time={told.decidedAt} exact /> · {w.ruleSet}{' '}
          <Text span ff="monospace" inherit>
            {told.ruleSet.slice(0, 12)}
          </Text>
        </Text>
        {shown.length > 1 && (
          <Button
            size="compact-xs"
            variant="subtle"
            mih={28}
            onClick={() => {
              setOpened(new Set(allOpen ? [] : shown.map(({ rule }) => rule)));
            }}
          >
            {allOpen ? w.closeAll : w.openAll}
          </Button>
        )}
      </Group>
      {told.differing.length > 0 && (
        <Alert color="red" my="xs" title={w.differing}>
          {told.differing.join(', ')}
        </Alert>
      )}
      {[telling, othersShown ? others : []].map((rules, part) => (
        <div key={part} className={part === 1 ? 'verdict' : ''}>
          {rules.map((one) => (
            <RuleVerdict
              key={one.rule}
              told={one}
              eventId={event.id}
              suppressions={suppressions.filter(({ rule }) => rule === one.rule)}
              deliveries={event.deliveries.filter(
                (delivery) => delivery.rule === one.rule && delivery.occasion === occasion,
              )}
              opened={opened.has(one.rule)}
              toggle={() => {
                toggle(one.rule);
              }}
            />
          ))}
        </div>
      ))}
      <Group mt="xs" gap="md">
        {others.length > 0 && telling.length > 0 && (
          <Button
            size="compact-sm"
            variant="default"
            mih={32}
            aria-expanded={othersShown}
            onClick={() => {
              setOthersShown(!othersShown);
            }}
          >
            {w.others(others.length)}
          </Button>
        )}
        {explained < unmatched && (
          <Group gap="xs">
            <Text size="sm" className="quiet">
              {w.moreRules(explained, unmatched)}
            </Text>
            <Button size="compact-sm" variant="subtle" mih={32} onClick={explainMore}>
              {w.explainMore}
            </Button>
          </Group>
        )}
        {counts !== null && counts['not listening'] > 0 && (
          <Text size="xs" className="quiet">
            {w.notListeningCount(counts['not listening'])}
          </Text>
        )}
      </Group>
    </>
  );
}

function rankOf(one: ExplainedEvaluation['explanations'][number]): number {
  const standing = standingOf(one);
  return TELLING.findIndex((other) => other === standing);
}
