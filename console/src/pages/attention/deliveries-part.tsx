import { Anchor, Card, Code, Group, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { api, segment } from '../../api/client.js';
import { askAgain, useAnswer } from '../../api/queries.js';
import type { Delivery, Page, Target, Targets } from '../../api/types.js';
import { Confirm } from '../../parts/confirm.js';
import { EntityLink, RuleLink } from '../../parts/links.js';
import { type Column, List } from '../../parts/list.js';
import { Moment } from '../../parts/moment.js';
import { OperatorButton } from '../../parts/operator-button.js';
import { tellDone } from '../../parts/problem.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { byUrgency } from '../targets/health.js';
import { deliveriesAt, StateCounts } from '../targets/state-counts.js';
import { TargetName } from '../targets/target-name.js';
import { ATTENTION_WORDS } from './words.js';

/** So many of each are shown here; the list of deliveries has them all. */
const NEWEST = 8;

/** Dead and held deliveries: by target, and the newest to be acted on at once. */
export function DeliveriesPart() {
  const w = useWords(ATTENTION_WORDS);
  const shown = useWords(SHOWN);
  const [acted, setActed] = useState<Delivery | null>(null);
  const { data } = useAnswer<Targets>('/targets', {}, { every: 10_000 });
  const stuck = data?.items.filter(({ dead, held }) => dead + held > 0).sort(byUrgency) ?? null;
  const columns: readonly Column<Target>[] = [
    { title: shown.target, cell: (row) => <TargetName {...row} /> },
    { title: w.standing, cell: (row) => <StateCounts target={row} /> },
    { title: shown.code, cell: ({ lastCode }) => (lastCode === null ? '–' : <Code>{lastCode}</Code>) },
    {
      title: shown.rules,
      cell: ({ rules }) => (
        <Group gap="xs">
          {rules.map((rule) => (
            <RuleLink key={rule} name={rule} />
          ))}
        </Group>
      ),
    },
  ];
  return (
    <Stack gap="md">
      <Card withBorder padding="sm" component="section" aria-labelledby="by-target">
        <Title order={2} fz="h4" id="by-target" mb="xs">
          {w.byTarget}
        </Title>
        <List
          label={w.byTarget}
          rows={stuck}
          columns={columns}
          keyOf={({ target, rules }) => `${target} ${rules.join(' ')}`}
          empty={w.deliveriesNone}
        />
      </Card>
      <Newest state="dead" act={setActed} />
      <Newest state="held" act={setActed} />
      {acted && (
        <ActDialog
          delivery={acted}
          close={() => {
            setActed(null);
          }}
        />
      )}
    </Stack>
  );
}

function Newest({
  state,
  act,
}: {
  readonly state: 'dead' | 'held';
  readonly act: (delivery: Delivery) => void;
}) {
  const w = useWords(ATTENTION_WORDS);
  const shown = useWords(SHOWN);
  const [, go] = useLocation();
  const { data, error, refetch } = useAnswer<Page<Delivery>>(
    '/deliveries',
    { state, limit: NEWEST },
    { every: 10_000 },
  );
  const dead = state === 'dead';
  const columns: readonly Column<Delivery>[] = [
    { title: shown.updated, cell: ({ updatedAt }) => <Moment time={updatedAt} /> },
    {
      title: shown.rule,
      cell: ({ rule, action }) => (
        <>
          <RuleLink name={rule} />{' '}
          <Text span fz="xs" c="dimmed">
            {action}
          </Text>
        </>
      ),
    },
    { title: shown.process, cell: ({ entity }) => <EntityLink entity={entity} /> },
    {
      title: w.why,
      cell: ({ code, reason }) => (
        <Text size="sm" lineClamp={2} style={{ overflowWrap: 'anywhere' }}>
          {code !== null && <Code>{code}</Code>} {reason}
        </Text>
      ),
    },
    {
      title: '',
      align: 'right',
      cell: (row) => (
        <OperatorButton
          size="compact-sm"
          variant="light"
          label={dead ? w.redriveOne(row.rule, row.entity) : w.releaseOne(row.rule, row.entity)}
          onClick={() => {
            act(row);
          }}
        >
          {dead ? shown.redrive : shown.release}
        </OperatorButton>
      ),
    },
  ];
  return (
    <Card withBorder padding="sm" component="section" aria-labelledby={`newest-${state}`}>
      <Group justify="space-between" mb="xs">
        <Title order={2} fz="h4" id={`newest-${state}`}>
          {dead ? w.newestDead : w.newestHeld}
        </Title>
        <Anchor component={Link} href={deliveriesAt(state)} size="sm">
          {dead ? w.allDead : w.allHeld}
        </Anchor>
      </Group>
      <List
        label={dead ? w.newestDead : w.newestHeld}
        rows={data?.items ?? null}
        columns={columns}
        keyOf={({ id }) => id}
        open={({ id }) => {
          go(`/deliveries/${segment(id)}`);
        }}
        error={data ? null : error}
        retry={() => void refetch()}
        empty={dead ? w.deadNone : w.heldNone}
      />
    </Card>
  );
}

/** Redrives what is dead, releases what is held. */
function ActDialog({ delivery, close }: { readonly delivery: Delivery; readonly close: () => void }) {
  const w = useWords(ATTENTION_WORDS);
  const shown = useWords(SHOWN);
  const dead = delivery.state === 'dead';
  return (
    <Confirm
      title={dead ? w.redriveTitle : w.releaseTitle}
      act={dead ? shown.redrive : shown.release}
      reason="may"
      done={async (reason) => {
        await api.post(
          `/deliveries/${segment(delivery.id)}/${dead ? 'redrive' : 'release'}`,
          reason === '' ? {} : { reason },
        );
        tellDone(dead ? w.redriven : w.released);
        await askAgain('/deliveries', '/targets', '/overview');
      }}
      close={close}
    >
      <Stack gap="xs">
        <Text size="sm">{dead ? w.redriveAbout : w.releaseAbout}</Text>
        <Code style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
          {delivery.rule} · {delivery.action} → {delivery.target} · {delivery.entity}
        </Code>
      </Stack>
    </Confirm>
  );
}
