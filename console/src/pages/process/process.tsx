import { Box, Button, Card, Group, SimpleGrid, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { type ReactNode, useRef } from 'react';
import { Link, useLocation } from 'wouter';
import { ApiProblem, segment } from '../../api/client.js';
import { useAnswer } from '../../api/queries.js';
import { useChanges } from '../../api/stream.js';
import type { Delivery, Entity, Page } from '../../api/types.js';
import { Moment } from '../../parts/moment.js';
import { PageHead } from '../../parts/page-head.js';
import { Problem } from '../../parts/problem.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { processPath, useLastSegment } from '../events/address.js';
import { isWaiting } from './layout.js';
import { ProcessPicture } from './picture.js';
import { ProcessTables } from './process-tables.js';
import { StatusText } from './status-text.js';
import { PROCESS } from './words.js';

/** So many deliveries are drawn. */
const MOST = 200;
/** It is asked again now and then: what is due moves on without an event. */
const EVERY_MS = 30_000;

/** One process, or another root entity, over time. */
export default function ProcessPage() {
  const w = useWords(PROCESS);
  const shown = useWords(SHOWN);
  const name = useLastSegment();
  const {
    data: entity,
    error,
    refetch,
  } = useAnswer<Entity>(`/entities/${segment(name)}`, {}, { every: EVERY_MS });
  const sent = useAnswer<Page<Delivery>>('/deliveries', { entity: name, limit: MOST }, { every: EVERY_MS });
  const again = (): void => {
    void refetch();
    void sent.refetch();
  };
  useChanges('verdicts', again);
  useChanges('deliveries', (change) => {
    if (change.entity === name) again();
  });
  const problem = entity === undefined ? error : sent.data === undefined ? sent.error : null;
  const deliveries = sent.data?.items;
  return (
    <>
      <PageHead title={name} about={w.about}>
        {entity && (
          <>
            <Button
              component={Link}
              href={`/events?entity=${encodeURIComponent(name)}`}
              variant="default"
              size="xs"
            >
              {w.allEvents}
            </Button>
            <Button
              component={Link}
              href={`/deliveries?entity=${encodeURIComponent(name)}`}
              variant="default"
              size="xs"
            >
              {w.allDeliveries}
            </Button>
          </>
        )}
      </PageHead>
      {problem !== null ? (
        <Stack>
          <Problem error={problem} retry={again} />
          {problem instanceof ApiProblem && problem.status === 404 && <OpenAnother />}
        </Stack>
      ) : entity === undefined || deliveries === undefined ? (
        <Stack aria-busy="true" aria-label={shown.loading}>
          <Skeleton height={78} />
          <Skeleton height={340} />
          <Skeleton height={200} />
        </Stack>
      ) : (
        <>
          <Summary entity={entity} />
          <ProcessPicture entity={entity} deliveries={deliveries} />
          <ProcessTables entity={entity} deliveries={deliveries} />
        </>
      )}
    </>
  );
}

function Summary({ entity }: { readonly entity: Entity }) {
  const w = useWords(PROCESS);
  const waiting = entity.tasks.filter(({ status }) => status.phase === 'open').length;
  const armed = entity.timers.filter(isWaiting).length;
  return (
    <Card withBorder padding="md" mb="md">
      <SimpleGrid cols={{ base: 2, sm: 5 }} spacing="sm" component="dl" m={0}>
        <Item name={w.status}>{entity.status ? <StatusText status={entity.status} /> : w.notTold}</Item>
        <Item name={entity.endedAt === null ? w.changed : w.ended}>
          <Moment time={entity.endedAt ?? entity.updatedAt} />
        </Item>
        <Item name={w.tasksSeen}>{entity.tasks.length}</Item>
        <Item name={w.openNow}>{waiting}</Item>
        <Item name={w.remindersArmed}>{armed}</Item>
      </SimpleGrid>
    </Card>
  );
}

function Item({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <Box miw={0}>
      <Text component="dt" size="xs" c="dimmed">
        {name}
      </Text>
      <Text component="dd" m={0} fw={600} style={{ overflowWrap: 'anywhere' }}>
        {children}
      </Text>
    </Box>
  );
}

/** Nothing is known of that one: another may be meant. */
function OpenAnother() {
  const w = useWords(PROCESS);
  const [, go] = useLocation();
  const field = useRef<HTMLInputElement>(null);
  return (
    <form
      onSubmit={(submit) => {
        submit.preventDefault();
        const text = field.current?.value.trim() ?? '';
        if (text !== '') go(processPath(text.includes(':') ? text : `process:${text}`));
      }}
    >
      <Group align="flex-end" gap="xs">
        <TextInput
          ref={field}
          label={w.openAnother}
          placeholder={w.openHint}
          maxLength={500}
          w={320}
          maw="100%"
        />
        <Button type="submit" variant="default">
          {w.open}
        </Button>
      </Group>
    </form>
  );
}
