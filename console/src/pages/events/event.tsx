import {
  Alert,
  Badge,
  Box,
  Card,
  Group,
  SimpleGrid,
  Skeleton,
  Stack,
  Text,
  Title,
  Tooltip,
} from '@mantine/core';
import { IconFlask, IconRepeat, IconTestPipe } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { useLocation } from 'wouter';
import { segment } from '../../api/client.js';
import { askAgain, useAnswer } from '../../api/queries.js';
import { useChanges } from '../../api/stream.js';
import type { EventDetail } from '../../api/types.js';
import { EventState } from '../../parts/marks.js';
import { Moment } from '../../parts/moment.js';
import { OperatorButton } from '../../parts/operator-button.js';
import { PageHead } from '../../parts/page-head.js';
import { Problem } from '../../parts/problem.js';
import { Id, JsonText } from '../../parts/texts.js';
import { SHOWN } from '../../words/shown-words.js';
import { useLabel, useWords } from '../../words/words.js';
import { useLastSegment } from './address.js';
import { EventCase } from './event-case.js';
import { EventDeliveries } from './event-deliveries.js';
import { EventFields } from './event-fields.js';
import { EventReplay } from './event-replay.js';
import { DeliveryCount, EntityLink, VerdictCounts } from './event-marks.js';
import { useEventType } from './known-types.js';
import { Neighbours } from './neighbours.js';
import { RuleVerdicts } from './rule-verdicts.js';
import { Value } from './values.js';
import { EVENTS } from './words.js';
import './events.css';

/** One event: what it says, what each rule made of it and why, and what went out. */
export default function EventPage() {
  const shown = useWords(SHOWN);
  const id = useLastSegment();
  const path = `/events/${segment(id)}`;
  const { data: event, error, refetch } = useAnswer<EventDetail>(path);
  useChanges('verdicts', ({ eventId }) => {
    if (eventId === event?.id) void askAgain(path, `/events/${eventId}`);
  });
  useChanges('deliveries', ({ eventId }) => {
    if (eventId === event?.id) void refetch();
  });
  if (error !== null && event === undefined)
    return (
      <>
        <PageHead title={shown.event} about={<bdi>{id}</bdi>} />
        <Problem error={error} retry={() => void refetch()} />
      </>
    );
  if (event === undefined)
    return (
      <Stack aria-busy="true" aria-label={shown.loading}>
        <PageHead title={shown.event} />
        <Skeleton height={96} />
        <Skeleton height={320} />
      </Stack>
    );
  return (
    <>
      <Head event={event} />
      <Facts event={event} />
      <Box className="event-columns">
        <RuleVerdicts key={event.id} event={event} />
        <Stack gap="md" miw={0}>
          <EventDeliveries event={event} />
          <EventFields event={event} />
          <Body event={event} />
        </Stack>
      </Box>
    </>
  );
}

function Head({ event }: { readonly event: EventDetail }) {
  const w = useWords(EVENTS);
  const [, go] = useLocation();
  const label = useLabel()(useEventType(event.eventType)?.label);
  const [dialog, setDialog] = useState<'case' | 'replay' | null>(null);
  const close = (): void => {
    setDialog(null);
  };
  return (
    <PageHead
      title={label === null ? event.eventType : label.charAt(0).toUpperCase() + label.slice(1)}
      about={
        <Text span size="sm" ff="monospace" className="quiet">
          <bdi>{event.eventType}</bdi>
        </Text>
      }
    >
      <Neighbours event={event} />
      <OperatorButton
        variant="default"
        size="xs"
        leftSection={<IconTestPipe size={14} />}
        onClick={() => {
          setDialog('case');
        }}
      >
        {w.makeCase}
      </OperatorButton>
      <OperatorButton
        variant="default"
        size="xs"
        leftSection={<IconFlask size={14} />}
        onClick={() => {
          go(`/try?event=${encodeURIComponent(event.id)}`);
        }}
      >
        {w.tryToday}
      </OperatorButton>
      <OperatorButton
        variant="default"
        size="xs"
        leftSection={<IconRepeat size={14} />}
        onClick={() => {
          setDialog('replay');
        }}
      >
        {w.replayNow}
      </OperatorButton>
      {dialog === 'case' && <EventCase event={event} close={close} />}
      {dialog === 'replay' && <EventReplay event={event} close={close} />}
    </PageHead>
  );
}

/** What one wants to know at a glance: what it says, of what, when, and what came of it. */
function Facts({ event }: { readonly event: EventDetail }) {
  const w = useWords(EVENTS);
  const shown = useWords(SHOWN);
  const entry = useEventType(event.eventType);
  const factOf = (name: string | undefined) => event.facts.find((fact) => fact.name === name);
  const status = factOf(entry?.status?.field);
  const bizType = factOf('biz_type');
  return (
    <Card withBorder padding="md" mb="md">
      {event.erased && (
        <Alert color="gray" p="xs" mb="sm">
          {w.erasedAbout}
        </Alert>
      )}
      {event.state === 'quarantined' && event.reason !== null && (
        <Alert color="red" p="xs" mb="sm" title={shown.quarantined}>
          {event.reason}
        </Alert>
      )}
      <SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }} spacing="sm" verticalSpacing="sm" component="dl" m={0}>
        {status && (
          <Item name={w.status}>
            <Text span fw={650} size="sm">
              <Value value={status.value} label={status.valueLabel} />
            </Text>
          </Item>
        )}
        {bizType && (
          <Item name={w.bizType}>
            <Value value={bizType.value} label={bizType.valueLabel} />
          </Item>
        )}
        <Item name={shown.process}>
          <EntityLink entity={event.rootEntity} />
        </Item>
        <Item name={shown.happened}>
          <Moment time={event.createTime} exact />
        </Item>
        <Item name={shown.received}>
          <Moment time={event.receivedAt} exact />
        </Item>
        <Item name={shown.state}>
          <Group gap={4}>
            <EventState state={event.state} reason={event.reason} />
            {event.duplicates > 0 && (
              <Tooltip label={w.duplicatesAbout}>
                <Badge color="gray" variant="light">
                  {w.duplicates} ×{event.duplicates}
                </Badge>
              </Tooltip>
            )}
          </Group>
        </Item>
        <Item name={w.verdicts}>
          <Group gap={4}>
            <VerdictCounts {...event} />
            <DeliveryCount count={event.deliveries.length} />
          </Group>
        </Item>
        <Item name={w.source}>
          <Value value={event.source} label={factOf('source')?.valueLabel ?? null} />
        </Item>
        <Item name={w.origin}>
          <Value value={event.origin} />
        </Item>
        <Item name={w.sendersId}>
          <Id text={event.eventId} />
        </Item>
      </SimpleGrid>
    </Card>
  );
}

function Item({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <Box miw={0}>
      <Text component="dt" size="xs" className="quiet">
        {name}
      </Text>
      <Text component="dd" size="sm" m={0} className="anywhere">
        {children}
      </Text>
    </Box>
  );
}

function Body({ event }: { readonly event: EventDetail }) {
  const w = useWords(EVENTS);
  return (
    <Card withBorder padding="md">
      <Title order={2} fz="h4" mb="xs">
        {w.body}
      </Title>
      {event.body === null ? (
        <Text size="sm" className="quiet">
          {event.masked ? w.bodyMasked : w.bodyNone}
        </Text>
      ) : (
        <JsonText value={event.body} />
      )}
    </Card>
  );
}
