import { Group, SegmentedControl, Stack, Text, Title } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useState } from 'react';
import { useSearchParams } from 'wouter';
import { api, segment } from '../../api/client.js';
import { askAgain, useAnswer } from '../../api/queries.js';
import type { Radar, RadarFinding, ReconciledProcesses } from '../../api/types.js';
import { Confirm } from '../../parts/confirm.js';
import { Moment } from '../../parts/moment.js';
import { OperatorButton } from '../../parts/operator-button.js';
import { PageHead } from '../../parts/page-head.js';
import { Problem, tellDone, tellProblem } from '../../parts/problem.js';
import { useLanguage, useWords } from '../../words/words.js';
import { FindingList } from './finding-list.js';
import { RADAR_WORDS } from './words.js';

const KINDS = ['lost-events', 'silent-rule', 'failing-condition', 'unread-value', 'unknown-value'] as const;
const STATES = ['open', 'dismissed', 'gone'] as const;

/** What nobody would miss until it is too late, by kind. */
export default function RadarPage() {
  const w = useWords(RADAR_WORDS);
  const { language } = useLanguage();
  const [params] = useSearchParams();
  const [state, setState] = useState<(typeof STATES)[number]>('open');
  const [looking, setLooking] = useState(false);
  const [dismissing, setDismissing] = useState<RadarFinding | null>(null);
  const [asking, setAsking] = useState<RadarFinding | null>(null);
  const radar = useAnswer<Radar>(
    '/radar',
    { state, kind: params.get('kind') },
    { every: 60_000, keep: true },
  );
  const look = async (): Promise<void> => {
    setLooking(true);
    try {
      await api.post('/radar/refresh', {});
      tellDone(w.refreshed);
      await askAgain('/radar');
    } catch (problem) {
      tellProblem(problem);
    } finally {
      setLooking(false);
    }
  };
  const { data } = radar;
  const kinds = KINDS.filter((kind) => data?.items.some((one) => one.kind === kind));
  return (
    <>
      <PageHead title={w.title} about={w.about}>
        <OperatorButton
          leftSection={<IconRefresh size={16} />}
          loading={looking}
          onClick={() => {
            void look();
          }}
        >
          {w.refresh}
        </OperatorButton>
      </PageHead>
      <Stack gap="lg">
        <Group justify="space-between" gap="sm">
          {data && <Standing radar={data} />}
          <SegmentedControl
            size="xs"
            aria-label={w.what}
            value={state}
            onChange={(chosen) => {
              setState(STATES.find((one) => one === chosen) ?? 'open');
            }}
            data={STATES.map((value) => ({ value, label: w[`${value}State`] }))}
          />
        </Group>
        {radar.error && !data && <Problem error={radar.error} retry={() => void radar.refetch()} />}
        {/* Before the first look nobody knows. */}
        {data && data.computedAt !== null && data.items.length === 0 && <Text c="dimmed">{w.none}</Text>}
        {kinds.map((kind) => (
          <section key={kind} aria-labelledby={`radar-${kind}`}>
            <Title order={2} fz="h4" id={`radar-${kind}`} mb="xs">
              {w[kind]}
            </Title>
            <FindingList
              kind={kind}
              findings={data?.items.filter((one) => one.kind === kind) ?? []}
              asks={data?.asks === true}
              dismiss={setDismissing}
              ask={setAsking}
            />
          </section>
        ))}
      </Stack>
      {dismissing && (
        <Confirm
          title={w.dismissTitle}
          act={w.dismiss}
          reason="must"
          done={async (reason) => {
            await api.post(`/radar/${segment(dismissing.id)}/dismiss`, { reason });
            tellDone(w.dismissed);
            await askAgain('/radar');
          }}
          close={() => {
            setDismissing(null);
          }}
        >
          <Stack gap="xs">
            <Text size="sm">{dismissing.sentence[language]}</Text>
            <Text size="sm">{w.dismissAbout}</Text>
          </Stack>
        </Confirm>
      )}
      {asking && (
        <Confirm
          title={w.reconcileTitle}
          act={w.reconcile}
          reason="may"
          done={async (reason) => {
            const { items } = await api.post<ReconciledProcesses>('/radar/reconcile', {
              entity: asking.subject,
              ...(reason === '' ? {} : { reason }),
            });
            const [one] = items;
            if (one && one.made.length > 0) tellDone(w.made(one.made.length));
            else tellDone(one?.outcome === 'agrees' ? w.agrees : `${w.open}: ${one?.detail ?? ''}`);
            await askAgain('/radar');
          }}
          close={() => {
            setAsking(null);
          }}
        >
          <Stack gap="xs">
            <Text size="sm">{asking.sentence[language]}</Text>
            <Text size="sm">{w.reconcileAbout}</Text>
          </Stack>
        </Confirm>
      )}
    </>
  );
}

/** When it looked, and at how much. */
function Standing({ radar: { computedAt, looked, reconciled, asks } }: { readonly radar: Radar }) {
  const w = useWords(RADAR_WORDS);
  return (
    <Stack gap={0}>
      <Text size="sm" component="div">
        {computedAt === null ? (
          w.never
        ) : (
          <>
            {w.computed} <Moment time={computedAt} /> · {w.looked(looked)}
            {reconciled > 0 && <> · {w.reconciled(reconciled)}</>}
          </>
        )}
      </Text>
      {!asks && (
        <Text size="xs" c="dimmed">
          {w.asksNot}
        </Text>
      )}
    </Stack>
  );
}
