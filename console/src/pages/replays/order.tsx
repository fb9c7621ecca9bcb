import { Alert, Badge, Card, Group, Progress, Skeleton, Stack, Table, Text, Title } from '@mantine/core';
import { type ReactNode, useEffect, useState } from 'react';
import { useLocation, useParams } from 'wouter';
import { api, segment } from '../../api/client.js';
import { askAgain, useAnswer, usePages } from '../../api/queries.js';
import type { RecalledDelivery, ReplayOfManyDetail } from '../../api/types.js';
import { Confirm } from '../../parts/confirm.js';
import { To } from '../../parts/links.js';
import { type Column, List } from '../../parts/list.js';
import { DeliveryState } from '../../parts/marks.js';
import { Moment } from '../../parts/moment.js';
import { OperatorButton } from '../../parts/operator-button.js';
import { PageHead } from '../../parts/page-head.js';
import { Problem, tellDone } from '../../parts/problem.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { CodeMark } from '../deliveries/code-mark.js';
import { shortHash } from '../rules/rule-facts.js';
import { CountsText, ReplayState, useOutcomeWord } from './marks.js';
import { REPLAY_WORDS } from './words.js';

/** One replay or recall: how far it is, and what has come of it. */
export default function OrderPage() {
  const w = useWords(REPLAY_WORDS);
  const { id = '' } = useParams();
  const [place] = useLocation();
  const kind = place.startsWith('/recalls') ? 'recalls' : 'replays';
  const path = `/${kind}/${segment(id)}`;
  const answer = useAnswer<ReplayOfManyDetail>(
    path,
    {},
    { every: (found) => (found && found.endedAt !== null ? 60_000 : 1000) },
  );
  const back = <To href={`/replays${kind === 'recalls' ? '?kind=recalls' : ''}`}>{w.title}</To>;
  if (answer.error && !answer.data)
    return (
      <>
        <PageHead title={kind === 'recalls' ? w.recall : w.replay} about={back} />
        <Problem error={answer.error} retry={() => void answer.refetch()} />
      </>
    );
  if (!answer.data) return <Skeleton height={240} aria-busy="true" />;
  return <Shown order={answer.data} path={path} back={back} />;
}

function Shown({
  order,
  path,
  back,
}: {
  readonly order: ReplayOfManyDetail;
  readonly path: string;
  readonly back: ReactNode;
}) {
  const w = useWords(REPLAY_WORDS);
  const shown = useWords(SHOWN);
  const [stopping, setStopping] = useState(false);
  const { kind, state, rule, createdAt, createdBy, events, code, detail, left, masked } = order;
  const open = state === 'pending' || state === 'running';
  const done = events.total - events.waiting;
  return (
    <>
      <PageHead
        title={`${w[kind]}: ${rule ?? w.allRules}`}
        about={
          <Group gap="xs">
            <ReplayState state={state} />
            <Text span inherit>
              <Moment time={createdAt} exact /> · {createdBy}
            </Text>
            {back}
          </Group>
        }
      >
        {open && (
          <OperatorButton size="xs" variant="default" onClick={() => setStopping(true)}>
            {w.stop}
          </OperatorButton>
        )}
      </PageHead>
      <Stack>
        <Card withBorder padding="sm" role="status">
          <Text fz="sm" mb={6}>
            {w.howFar(done, events.total)}
          </Text>
          <Progress
            value={events.total === 0 ? 100 : (done / events.total) * 100}
            aria-label={w.howFar(done, events.total)}
            animated={state === 'running'}
          />
        </Card>
        {masked && <Alert color="gray">{shown.masked}</Alert>}
        {code !== null && (
          <Alert color={state === 'failed' ? 'red' : 'orange'}>
            <CodeMark code={code} />{' '}
            <Text span fz="sm" className="anywhere">
              {detail}
            </Text>
          </Alert>
        )}
        <About order={order} />
        {left.length > 0 && (
          <Alert color="gray" title={w.left}>
            {left.map((one, at) => (
              <Text key={at} fz="sm" component="div" className="anywhere">
                <To href={`/events/${segment(one.eventId)}`}>{one.eventId}</To>{' '}
                {one.code !== null && <CodeMark code={one.code} />} {one.reason}
              </Text>
            ))}
          </Alert>
        )}
        {kind === 'recall' && <Recalled path={path} open={open} />}
      </Stack>
      {stopping && (
        <Confirm
          title={w.stopTitle}
          act={w.stop}
          colour="red"
          reason="may"
          close={() => setStopping(false)}
          done={async (reason) => {
            await api.post(`${path}/cancel`, reason === '' ? {} : { reason });
            tellDone(w.stopped);
            await askAgain(path);
          }}
        >
          {w.stopAbout}
        </Confirm>
      )}
    </>
  );
}

function About({ order }: { readonly order: ReplayOfManyDetail }) {
  const w = useWords(REPLAY_WORDS);
  const { filter, ruleSet, purpose, occasion } = order;
  return (
    <Table verticalSpacing={4} fz="sm" aria-label={w.chosen}>
      <Table.Tbody>
        <Table.Tr>
          <Table.Th w={140}>{w.outcomes}</Table.Th>
          <Table.Td>
            <CountsText of={order} />
          </Table.Td>
        </Table.Tr>
        {purpose !== null && (
          <Table.Tr>
            <Table.Th>{w.purpose}</Table.Th>
            <Table.Td className="anywhere">{purpose}</Table.Td>
          </Table.Tr>
        )}
        <Table.Tr>
          <Table.Th>{w.chosen}</Table.Th>
          <Table.Td className="anywhere">
            <Group gap={4}>
              {Object.entries(filter).map(([name, value]) => (
                <Badge key={name} variant="default" tt="none">
                  {name}: {typeof value === 'string' ? value : JSON.stringify(value)}
                </Badge>
              ))}
            </Group>
          </Table.Td>
        </Table.Tr>
        <Table.Tr>
          <Table.Th>{w.evaluatedBy}</Table.Th>
          <Table.Td ff="monospace">{shortHash(ruleSet)}</Table.Td>
        </Table.Tr>
        <Table.Tr>
          <Table.Th>{w.result}</Table.Th>
          <Table.Td>
            <To href={`/deliveries?occasion=${segment(occasion)}`}>{w.toDeliveries}</To>
          </Table.Td>
        </Table.Tr>
      </Table.Tbody>
    </Table>
  );
}

/** The deliveries that a recall is about, and what became of each. */
function Recalled({ path, open }: { readonly path: string; readonly open: boolean }) {
  const w = useWords(REPLAY_WORDS);
  const shown = useWords(SHOWN);
  const [, go] = useLocation();
  const word = useOutcomeWord();
  const list = `${path}/deliveries`;
  const pages = usePages<RecalledDelivery>(list, {}, open ? { every: 3000 } : {});
  // What became of the last ones nobody would ask for else.
  useEffect(() => {
    if (!open) void askAgain(list);
  }, [open, list]);
  const columns: readonly Column<RecalledDelivery>[] = [
    {
      title: w.becomes,
      cell: ({ outcome, outcomeCode }) => (
        <>
          {word('outcome', outcome ?? 'waiting')} {outcomeCode !== null && <CodeMark code={outcomeCode} />}
        </>
      ),
    },
    { title: shown.state, cell: ({ state }) => <DeliveryState state={state} /> },
    { title: shown.action, cell: ({ action }) => action },
    { title: shown.target, cell: ({ target }) => <bdi>{target}</bdi>, oneLine: 260 },
    { title: w.undo, cell: ({ undoId }) => <Other id={undoId} /> },
    { title: w.next, cell: ({ nextId }) => <Other id={nextId} /> },
    { title: shown.created, wide: true, cell: ({ createdAt }) => <Moment time={createdAt} /> },
  ];
  return (
    <Stack gap="xs">
      <Title order={2} fz="h4">
        {w.recalled}
      </Title>
      <List
        label={w.recalled}
        rows={pages.items}
        columns={columns}
        keyOf={({ id }) => id}
        open={({ id }) => go(`/deliveries/${segment(id)}`)}
        error={pages.error}
        retry={() => void pages.refetch()}
        empty={<Text>{w.recallNothing}</Text>}
        more={pages.hasNextPage ? () => void pages.fetchNextPage() : undefined}
        loadingMore={pages.isFetchingNextPage}
      />
    </Stack>
  );
}

function Other({ id }: { readonly id: string | null }) {
  const shown = useWords(SHOWN);
  if (id === null) return '–';
  return <To href={`/deliveries/${segment(id)}`}>{shown.delivery}</To>;
}
