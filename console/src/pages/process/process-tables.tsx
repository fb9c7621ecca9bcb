import { Badge, Card, Group, Table, Text, Title, Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Entity, EntityTransition } from '../../api/types.js';
import { DeliveryState, EventState } from '../../parts/marks.js';
import { Moment } from '../../parts/moment.js';
import { EventLink, RuleLink, To } from '../../parts/links.js';
import { SHOWN } from '../../words/shown-words.js';
import { useLabel, useWords } from '../../words/words.js';
import { useCatalogue } from '../../api/queries.js';
import { codeText } from './detail.js';
import { isWaiting, lateEvents, type ShownDelivery } from './layout.js';
import { statusText } from './status-text.js';
import { PROCESS } from './words.js';

/** The same as the picture, to be read: for phones, and for those who do not see it. */
export function ProcessTables({
  entity,
  deliveries,
}: {
  readonly entity: Entity;
  readonly deliveries: readonly ShownDelivery[];
}) {
  return (
    <>
      <UnsettledTable entity={entity} />
      <HistoryTable entity={entity} />
      <TimerTable entity={entity} />
      <DeliveryTable deliveries={deliveries} />
      <EventTable entity={entity} />
    </>
  );
}

/** One part of the page with a table, or what is said when there is nothing. */
function Part({
  title,
  about,
  heads,
  empty,
  children,
}: {
  readonly title: string;
  readonly about?: string;
  readonly heads: readonly string[];
  /** Null: there are rows. */
  readonly empty: string | null;
  readonly children: ReactNode;
}) {
  return (
    <Card withBorder padding="md" mb="md">
      <Title order={2} fz="h4" mb={about === undefined ? 'xs' : 2}>
        {title}
      </Title>
      {about !== undefined && (
        <Text size="sm" c="dimmed" mb="xs">
          {about}
        </Text>
      )}
      {empty !== null ? (
        <Text size="sm" c="dimmed">
          {empty}
        </Text>
      ) : (
        <Table.ScrollContainer minWidth={860} tabIndex={0} aria-label={title}>
          <Table verticalSpacing={5} fz="sm" aria-label={title}>
            <Table.Thead>
              <Table.Tr>
                {heads.map((head) => (
                  <Table.Th key={head}>{head}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>{children}</Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Card>
  );
}

function HistoryTable({ entity }: { readonly entity: Entity }) {
  const w = useWords(PROCESS);
  const shown = useWords(SHOWN);
  const say = useLabel();
  const late = lateEvents(entity);
  const levels = { process: w.process, node: shown.node, task: shown.task } as const;
  return (
    <Part
      title={w.history}
      heads={[w.when, w.who, w.from, w.to, w.mark, shown.event]}
      empty={entity.history.length === 0 ? w.noHistory : null}
    >
      {entity.history.toReversed().map((one, at) => (
        <Table.Tr key={`${one.eventId} ${at}`}>
          <Table.Td>
            <Moment time={one.at} exact />
          </Table.Td>
          <Table.Td>
            {levels[one.level]}{' '}
            {one.level !== 'process' && (
              <Text span inherit ff="monospace" style={{ overflowWrap: 'anywhere' }}>
                <bdi>{one.id}</bdi>
              </Text>
            )}
          </Table.Td>
          <Table.Td>
            {one.from === undefined
              ? w.notSeen
              : one.from === null
                ? '–'
                : statusText(one.from, one.fromLabel, say)}
          </Table.Td>
          <Table.Td fw={600}>{statusText(one.to, one.toLabel, say)}</Table.Td>
          <Table.Td>
            <Marks kind={one.kind} late={late.has(one.eventId)} />
          </Table.Td>
          <Table.Td>
            <EventLink id={one.eventId}>{shortId(one.eventId)}</EventLink>
          </Table.Td>
        </Table.Tr>
      ))}
    </Part>
  );
}

/** What is not as usual of a change. */
function Marks({ kind, late }: { readonly kind: EntityTransition['kind']; readonly late: boolean }) {
  const w = useWords(PROCESS);
  return (
    <Group gap={4}>
      {kind === 'irregular' && (
        <Tooltip label={w.irregularAbout} multiline w={240}>
          <Badge color="orange" variant="light" leftSection="◆">
            {w['kind irregular']}
          </Badge>
        </Tooltip>
      )}
      {kind === 'repeat' && (
        <Badge color="gray" variant="light" leftSection="○">
          {w['kind repeat']}
        </Badge>
      )}
      {late && (
        <Tooltip label={w.lateAbout} multiline w={240}>
          <Badge color="orange" variant="light" leftSection="◷">
            {w.late}
          </Badge>
        </Tooltip>
      )}
    </Group>
  );
}

function TimerTable({ entity }: { readonly entity: Entity }) {
  const w = useWords(PROCESS);
  const shown = useWords(SHOWN);
  return (
    <Part
      title={w.timers}
      heads={[shown.state, shown.rule, w.subject, w.step, w.countsFrom, shown.due]}
      empty={entity.timers.length === 0 ? w.noTimers : null}
    >
      {entity.timers.map((timer) => (
        <Table.Tr key={timer.id}>
          <Table.Td>
            <Badge color={isWaiting(timer) ? 'violet' : 'gray'} variant="light">
              {w[`timer ${timer.state}`]}
            </Badge>
            {timer.code !== null && (
              <Text size="xs" c="dimmed">
                {codeText(timer.code, w)} · {timer.code}
              </Text>
            )}
          </Table.Td>
          <Table.Td>
            <RuleLink name={timer.rule} />
          </Table.Td>
          <Table.Td ff="monospace" style={{ overflowWrap: 'anywhere' }}>
            <bdi>{timer.subject}</bdi>
          </Table.Td>
          <Table.Td>
            {timer.step}
            {timer.sent.length > 0 && (
              <Text size="xs" c="dimmed">
                {w.sent}: {timer.sent.join(', ')}
              </Text>
            )}
          </Table.Td>
          <Table.Td>
            <Moment time={timer.baseTime} exact />
          </Table.Td>
          <Table.Td>{isWaiting(timer) ? <Moment time={timer.dueAt} /> : '–'}</Table.Td>
        </Table.Tr>
      ))}
    </Part>
  );
}

function DeliveryTable({ deliveries }: { readonly deliveries: readonly ShownDelivery[] }) {
  const w = useWords(PROCESS);
  const shown = useWords(SHOWN);
  return (
    <Part
      title={shown.deliveries}
      heads={[shown.created, shown.state, shown.action, shown.target, shown.attempts]}
      empty={deliveries.length === 0 ? w.noDeliveries : null}
    >
      {deliveries.map(({ id, createdAt, state, rule, action, target, attempt, code }) => (
        <Table.Tr key={id}>
          <Table.Td>
            <Moment time={createdAt} exact />
          </Table.Td>
          <Table.Td>
            <DeliveryState state={state} />
            {code !== null && (
              <Text size="xs" c="dimmed">
                {code}
              </Text>
            )}
          </Table.Td>
          <Table.Td>
            <To href={`/deliveries/${id}`}>
              {rule} · {action}
            </To>
          </Table.Td>
          <Table.Td style={{ overflowWrap: 'anywhere' }}>
            <bdi>{target}</bdi>
          </Table.Td>
          <Table.Td>{attempt}</Table.Td>
        </Table.Tr>
      ))}
    </Part>
  );
}

/** Only when there are some: verdicts that a missing fact left open. */
function UnsettledTable({ entity }: { readonly entity: Entity }) {
  const w = useWords(PROCESS);
  const shown = useWords(SHOWN);
  if (entity.unsettled.length === 0) return null;
  return (
    <Part
      title={w.unsettled}
      about={w.unsettledAbout}
      heads={[shown.state, shown.rule, w.missing, w.until, shown.event]}
      empty={null}
    >
      {entity.unsettled.map(({ eventId, rule, missing, state, until }) => (
        <Table.Tr key={`${eventId} ${rule}`}>
          <Table.Td>
            <Badge color={state === 'expired' ? 'red' : 'yellow'} variant="light">
              {w[`unsettled ${state}`]}
            </Badge>
          </Table.Td>
          <Table.Td>
            <RuleLink name={rule} />
          </Table.Td>
          <Table.Td ff="monospace">{missing.join(', ')}</Table.Td>
          <Table.Td>
            <Moment time={until} />
          </Table.Td>
          <Table.Td>
            <EventLink id={eventId}>{shortId(eventId)}</EventLink>
          </Table.Td>
        </Table.Tr>
      ))}
    </Part>
  );
}

function EventTable({ entity }: { readonly entity: Entity }) {
  const w = useWords(PROCESS);
  const shown = useWords(SHOWN);
  const say = useLabel();
  const catalogue = useCatalogue();
  const late = lateEvents(entity);
  return (
    <Part
      title={w.events}
      heads={[shown.happened, shown.received, shown.type, shown.state, shown.id]}
      empty={entity.events.length === 0 ? w.noEvents : null}
    >
      {entity.events.map(({ id, eventId, eventType, createTime, receivedAt, state }) => (
        <Table.Tr key={id}>
          <Table.Td>
            <Moment time={createTime} exact />
          </Table.Td>
          <Table.Td>
            <Moment time={receivedAt} exact />
          </Table.Td>
          <Table.Td style={{ overflowWrap: 'anywhere' }}>
            {say(catalogue?.items.find((one) => one.eventType === eventType)?.label) ?? (
              <bdi>{eventType}</bdi>
            )}
          </Table.Td>
          <Table.Td>
            <Group gap={4}>
              <EventState state={state} reason={null} />
              {late.has(eventId) && (
                <Badge color="orange" variant="light" leftSection="◷">
                  {w.late}
                </Badge>
              )}
            </Group>
          </Table.Td>
          <Table.Td>
            <EventLink id={id}>{shortId(eventId)}</EventLink>
          </Table.Td>
        </Table.Tr>
      ))}
    </Part>
  );
}

function shortId(text: string): string {
  return text.length > 18 ? `${text.slice(0, 8)}…${text.slice(-6)}` : text;
}
