import { Alert, Box, Button, Card, Code, Group, Progress, Skeleton, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { useParams } from 'wouter';
import { api, segment } from '../../api/client.js';
import { askAgain, useAnswer } from '../../api/queries.js';
import type { BacktestDetail } from '../../api/types.js';
import { Confirm } from '../../parts/confirm.js';
import { To } from '../../parts/links.js';
import { Moment } from '../../parts/moment.js';
import { OperatorButton } from '../../parts/operator-button.js';
import { PageHead } from '../../parts/page-head.js';
import { Problem, tellDone } from '../../parts/problem.js';
import { JsonText } from '../../parts/texts.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { BacktestState, useCompared } from './backtest-list.js';
import { ReportShown } from './report-shown.js';
import { BACKTEST_WORDS } from './words.js';

/** One back-test: how far it is, and what it has found. */
export default function BacktestPage() {
  const w = useWords(BACKTEST_WORDS);
  const { id = '' } = useParams();
  const path = `/backtests/${segment(id)}`;
  const answer = useAnswer<BacktestDetail>(
    path,
    {},
    { every: (found) => (found && found.endedAt !== null ? 60_000 : 1500) },
  );
  if (answer.error && !answer.data)
    return (
      <>
        <PageHead title={w.one} about={<To href="/backtests">{w.title}</To>} />
        <Problem error={answer.error} retry={() => void answer.refetch()} />
      </>
    );
  if (!answer.data) return <Skeleton height={240} aria-busy="true" />;
  return <Shown backtest={answer.data} path={path} />;
}

function Shown({ backtest, path }: { readonly backtest: BacktestDetail; readonly path: string }) {
  const w = useWords(BACKTEST_WORDS);
  const shown = useWords(SHOWN);
  const compared = useCompared();
  const [stopping, setStopping] = useState(false);
  const { state, since, until, createdBy, report, code, reason, masked, text, after } = backtest;
  const open = state === 'queued' || state === 'running';
  return (
    <>
      <PageHead
        title={`${w.one}: ${compared(backtest)}`}
        about={
          <Group gap="xs">
            <BacktestState state={state} />
            <Text span inherit>
              <Moment time={since} exact /> – <Moment time={until} exact /> · {createdBy}
            </Text>
            <To href="/backtests">{w.title}</To>
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
        {open && <HowFar backtest={backtest} />}
        {masked && report && <Alert color="gray">{shown.masked}</Alert>}
        {!open && !report && (
          <Alert color={state === 'failed' ? 'red' : 'gray'} title={w.noReport}>
            <Code>{code}</Code>{' '}
            <Text span fz="sm" style={{ overflowWrap: 'anywhere' }}>
              {reason}
            </Text>
          </Alert>
        )}
        {report && <ReportShown report={report} examplesLeft={backtest.examplesLeft} />}
        {after.path !== null && text !== null && <EditedText text={text} />}
      </Stack>
      {stopping && (
        <Confirm
          title={w.stopTitle}
          act={w.stop}
          colour="red"
          close={() => setStopping(false)}
          done={async () => {
            await api.post(`${path}/cancel`);
            tellDone(w.stopped);
            await askAgain('/backtests');
          }}
        >
          {w.stopAbout}
        </Confirm>
      )}
    </>
  );
}

function HowFar({ backtest: { state, done, total, startedAt } }: { readonly backtest: BacktestDetail }) {
  const w = useWords(BACKTEST_WORDS);
  const share = total === null || total === 0 ? 0 : Math.min(100, (done / total) * 100);
  const began = startedAt === null ? null : Date.parse(startedAt);
  const left = began !== null && share >= 3 ? ((Date.now() - began) * (100 - share)) / share : null;
  const told =
    state === 'queued'
      ? w.queued
      : done === 0
        ? w.preparing
        : total === null
          ? w.progressOnly(done)
          : w.progress(done, total);
  return (
    <Card withBorder padding="sm" role="status">
      <Text fz="sm" mb={6}>
        {told}
        {left !== null && ` · ${w.left(clockText(left))}`}
      </Text>
      <Progress value={share} aria-label={told} animated={state === 'running'} />
    </Card>
  );
}

/** `1:05`. */
function clockText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function EditedText({ text }: { readonly text: string }) {
  const w = useWords(BACKTEST_WORDS);
  const [opened, setOpened] = useState(false);
  return (
    <Box>
      <Button variant="subtle" size="compact-sm" aria-expanded={opened} onClick={() => setOpened(!opened)}>
        {w.editedText}
      </Button>
      {opened && <JsonText value={text} />}
    </Box>
  );
}
