import { Anchor, Group, Stack, Text } from '@mantine/core';
import { Link, useLocation } from 'wouter';
import { segment } from '../../api/client.js';
import { useCatalogue, usePages } from '../../api/queries.js';
import type { Event } from '../../api/types.js';
import { EntityLink } from '../../parts/links.js';
import { type Column, List } from '../../parts/list.js';
import { Moment } from '../../parts/moment.js';
import { Id, Labelled } from '../../parts/texts.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { ATTENTION_WORDS } from './words.js';

/** Events that could not be decided. */
export function QuarantinedPart() {
  const w = useWords(ATTENTION_WORDS);
  return <EventsPart label={w.quarantined} query={{ state: 'quarantined' }} empty={w.quarantinedNone} />;
}

/** Events of which a rule ended in an error. */
export function ErrorsPart() {
  const w = useWords(ATTENTION_WORDS);
  return <EventsPart label={w.errors} query={{ verdict: 'error' }} empty={w.errorsNone} />;
}

function EventsPart({
  label,
  query,
  empty,
}: {
  readonly label: string;
  readonly query: Readonly<Record<string, string>>;
  readonly empty: string;
}) {
  const w = useWords(ATTENTION_WORDS);
  const shown = useWords(SHOWN);
  const catalogue = useCatalogue();
  const [, go] = useLocation();
  const pages = usePages<Event>('/events', { ...query, limit: 25 }, { every: 10_000 });
  const columns: readonly Column<Event>[] = [
    { title: shown.received, cell: ({ receivedAt }) => <Moment time={receivedAt} /> },
    {
      title: w.eventType,
      cell: ({ eventType }) => (
        <Labelled
          name={eventType}
          label={catalogue?.items.find((one) => one.eventType === eventType)?.label ?? null}
        />
      ),
    },
    { title: shown.event, cell: ({ eventId }) => <Id text={eventId} short /> },
    {
      title: shown.process,
      cell: ({ rootEntity }) => (rootEntity === null ? '–' : <EntityLink entity={rootEntity} />),
    },
    {
      title: w.why,
      cell: ({ reason, errors }) => (
        <Text size="sm" lineClamp={3} style={{ overflowWrap: 'anywhere' }}>
          {reason ?? `${shown.error} ${errors ?? 0}`}
        </Text>
      ),
    },
  ];
  return (
    <Stack gap="xs">
      {(pages.items?.length ?? 0) > 0 && (
        <Group justify="flex-end">
          <Anchor component={Link} href={`/events?${new URLSearchParams(query)}`} size="sm">
            {w.allEvents}
          </Anchor>
        </Group>
      )}
      <List
        label={label}
        rows={pages.items}
        columns={columns}
        keyOf={({ id }) => id}
        open={({ id }) => {
          go(`/events/${segment(id)}`);
        }}
        error={pages.items ? null : pages.error}
        retry={() => void pages.refetch()}
        empty={empty}
        more={pages.hasNextPage ? () => void pages.fetchNextPage() : undefined}
        loadingMore={pages.isFetchingNextPage}
      />
    </Stack>
  );
}
