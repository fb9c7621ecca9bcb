import { Badge, Box, Button, Group, Switch, Text, Tooltip } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import { useLocation } from 'wouter';
import { urlOf } from '../../api/client.js';
import { useCatalogue, usePages } from '../../api/queries.js';
import { useMay } from '../../api/session.js';
import type { Event } from '../../api/types.js';
import { FoldedFilters } from '../../parts/folded-filters.js';
import { useFilters } from '../../parts/filters.js';
import { type Column, List } from '../../parts/list.js';
import { EventState } from '../../parts/marks.js';
import { Moment } from '../../parts/moment.js';
import { PageHead } from '../../parts/page-head.js';
import { SHOWN } from '../../words/shown-words.js';
import { useLabel, useWords } from '../../words/words.js';
import { eventPath } from './address.js';
import { EventFilterBar } from './event-filters.js';
import { DeliveryCount, EntityLink, VerdictCounts } from './event-marks.js';
import { EVENT_FILTERS, queryOf } from './event-query.js';
import { TAIL_ROWS, useTail } from './live-tail.js';
import { Value } from './values.js';
import { EVENTS } from './words.js';

/** What came in: searchable, and live when it is wanted. */
export default function EventListPage() {
  const w = useWords(EVENTS);
  const shown = useWords(SHOWN);
  const [, go] = useLocation();
  const mayExport = useMay('operator');
  const { filters, set, clear, any } = useFilters(EVENT_FILTERS);
  const mode = useFilters(['live']);
  const live = mode.filters.live === '1';
  const [hovered, setHovered] = useState(false);
  const [focused, setFocused] = useState(false);
  const looking = hovered || focused;
  const key = JSON.stringify(filters);
  // A period is counted from when it was chosen: the pages of a list stay those of one question.
  const query = useMemo(() => queryOf(JSON.parse(key) as typeof filters, Date.now()), [key]);
  const pages = usePages<Event>('/events', query, { when: !live });
  const tail = useTail(query, live, looking);
  const columns = useColumns();
  const open = (event: Event): void => {
    go(eventPath(event.id));
  };
  const empty = live ? w.liveEmpty : any ? shown.nothingFits : w.empty;
  return (
    <>
      <PageHead title={shown.events} about={w.about}>
        <Tooltip label={w.liveAbout}>
          <Switch
            label={w.live}
            checked={live}
            onChange={(change) => {
              mode.set({ live: change.currentTarget.checked ? '1' : null });
            }}
          />
        </Tooltip>
        <Tooltip label={mayExport ? w.exportAbout : shown.needsOperator}>
          {mayExport ? (
            <Button
              component="a"
              href={urlOf('/events/export', query)}
              download="events.ndjson"
              variant="default"
              size="xs"
              leftSection={<IconDownload size={14} />}
            >
              {w.export}
            </Button>
          ) : (
            <Button
              variant="default"
              size="xs"
              leftSection={<IconDownload size={14} />}
              data-disabled
              aria-disabled
              onClick={(click) => {
                click.preventDefault();
              }}
            >
              {w.export}
            </Button>
          )}
        </Tooltip>
      </PageHead>
      <FoldedFilters filters={filters}>
        <EventFilterBar filters={filters} set={set} clear={clear} any={any} />
      </FoldedFilters>
      {live ? (
        <Box
          onMouseEnter={() => {
            setHovered(true);
          }}
          onMouseLeave={() => {
            setHovered(false);
          }}
          onFocus={() => {
            setFocused(true);
          }}
          onBlur={() => {
            setFocused(false);
          }}
        >
          <Group gap="xs" mih={32} mb={4} role="status">
            <Text size="xs" className="quiet">
              {looking ? w.paused : w.liveAbout}
            </Text>
            {tail.fresh > 0 && (
              <Button size="compact-xs" variant="light" mih={28} onClick={tail.show}>
                {w.fresh(tail.fresh)}
              </Button>
            )}
          </Group>
          <List
            label={shown.events}
            rows={tail.rows}
            columns={columns}
            keyOf={({ id }) => id}
            open={open}
            error={tail.error}
            retry={tail.again}
            empty={empty}
          />
          {tail.rows !== null && tail.rows.length >= TAIL_ROWS && (
            <Text size="xs" className="quiet" ta="center" mt="sm">
              {w.tailFull(TAIL_ROWS)}
            </Text>
          )}
        </Box>
      ) : (
        <List
          label={shown.events}
          rows={pages.items}
          columns={columns}
          keyOf={({ id }) => id}
          open={open}
          error={pages.error}
          retry={() => void pages.refetch()}
          empty={empty}
          more={pages.hasNextPage ? () => void pages.fetchNextPage() : undefined}
          loadingMore={pages.isFetchingNextPage}
        />
      )}
    </>
  );
}

function useColumns(): readonly Column<Event>[] {
  const w = useWords(EVENTS);
  const shown = useWords(SHOWN);
  const say = useLabel();
  const catalogue = useCatalogue();
  const labels = useMemo(
    () => new Map(catalogue?.items.map(({ eventType, label }) => [eventType, label])),
    [catalogue],
  );
  return [
    { title: shown.received, width: 110, cell: ({ receivedAt }) => <Moment time={receivedAt} /> },
    {
      title: shown.type,
      oneLine: 270,
      cell: ({ eventType, erased }) => {
        const label = say(labels.get(eventType));
        return (
          <Box miw={0}>
            <Group gap={6}>
              {label !== null && <Text size="sm">{label}</Text>}
              {erased && (
                <Tooltip label={w.erasedAbout}>
                  <Badge color="gray" variant="light" size="sm">
                    {w.erased}
                  </Badge>
                </Tooltip>
              )}
            </Group>
            <Text fz="xs" ff="monospace" className="quiet" truncate title={eventType}>
              <bdi>{eventType}</bdi>
            </Text>
          </Box>
        );
      },
    },
    {
      title: w.aboutIt,
      cell: ({ about }) =>
        about.length === 0 ? (
          <Text span className="quiet">
            –
          </Text>
        ) : (
          <Box miw={0} fz="sm">
            {about.map((fact) => (
              <Text key={fact.name} size="sm" lineClamp={2} style={{ overflowWrap: 'anywhere' }}>
                <Value value={fact.value} label={fact.valueLabel} />
              </Text>
            ))}
          </Box>
        ),
    },
    { title: shown.process, oneLine: 240, cell: ({ rootEntity }) => <EntityLink entity={rootEntity} /> },
    { title: w.verdicts, width: 110, cell: (event) => <VerdictCounts {...event} /> },
    {
      title: shown.deliveries,
      width: 90,
      cell: ({ deliveries }) =>
        deliveries === 0 ? (
          <Text span className="quiet">
            –
          </Text>
        ) : (
          <DeliveryCount count={deliveries} />
        ),
    },
    {
      title: w.duplicates,
      width: 90,
      wide: true,
      cell: ({ duplicates }) => (
        <Text span className="quiet" fz="sm">
          {duplicates === 0 ? '–' : `×${duplicates}`}
        </Text>
      ),
    },
    {
      title: shown.state,
      width: 110,
      cell: ({ state, reason }) => <EventState state={state} reason={reason} />,
    },
  ];
}
