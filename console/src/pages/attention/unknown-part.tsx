import { Code, Group } from '@mantine/core';
import { useLocation } from 'wouter';
import { segment } from '../../api/client.js';
import { usePages } from '../../api/queries.js';
import type { Unsettled } from '../../api/types.js';
import { EntityLink, EventLink, RuleLink } from '../../parts/links.js';
import { type Column, List } from '../../parts/list.js';
import { Moment } from '../../parts/moment.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { ATTENTION_WORDS } from './words.js';

/** Verdicts that no later event has settled in time. */
export function UnknownPart() {
  const w = useWords(ATTENTION_WORDS);
  const shown = useWords(SHOWN);
  const [, go] = useLocation();
  const pages = usePages<Unsettled>('/unsettled', { state: 'expired' }, { every: 10_000 });
  const columns: readonly Column<Unsettled>[] = [
    { title: w.expired, cell: ({ until }) => <Moment time={until} /> },
    { title: shown.rule, cell: ({ rule }) => <RuleLink name={rule} /> },
    {
      title: w.missing,
      cell: ({ missing }) => (
        <Group gap={4}>
          {missing.map((fact) => (
            <Code key={fact} style={{ overflowWrap: 'anywhere' }}>
              {fact}
            </Code>
          ))}
        </Group>
      ),
    },
    { title: shown.process, cell: ({ entity }) => <EntityLink entity={entity} /> },
    { title: w.decided, wide: true, cell: ({ decidedAt }) => <Moment time={decidedAt} /> },
    { title: shown.event, cell: ({ eventId }) => <EventLink id={eventId}>{w.look}</EventLink> },
  ];
  return (
    <List
      label={w.unknown}
      rows={pages.items}
      columns={columns}
      keyOf={({ eventId, rule }) => `${eventId} ${rule}`}
      open={({ eventId }) => {
        go(`/events/${segment(eventId)}`);
      }}
      error={pages.items ? null : pages.error}
      retry={() => void pages.refetch()}
      empty={w.unknownNone}
      more={pages.hasNextPage ? () => void pages.fetchNextPage() : undefined}
      loadingMore={pages.isFetchingNextPage}
    />
  );
}
