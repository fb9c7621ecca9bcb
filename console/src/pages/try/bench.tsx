import {
  Alert,
  Badge,
  Box,
  Button,
  Card,
  Center,
  Grid,
  Group,
  Loader,
  Skeleton,
  Stack,
  Text,
  Title,
} from '@mantine/core';
import { type KeyboardEvent, useState } from 'react';
import { api } from '../../api/client.js';
import { useAnswer } from '../../api/queries.js';
import { useMay } from '../../api/session.js';
import type { RuleFile, Trial, TrialBody } from '../../api/types.js';
import { Confirm } from '../../parts/confirm.js';
import { Editor } from '../../parts/lazy.js';
import { Problem } from '../../parts/problem.js';
import { useWords } from '../../words/words.js';
import { StartBacktest } from '../backtests/start-backtest.js';
import { FindingList, marksOf } from '../rules/finding-list.js';
import { type Draft, fileTextOf, isChanged } from './drafts.js';
import { type Order, OrderForm } from './order.js';
import { inPlainLineEnds, sizeOf } from './patch.js';
import { Results } from './results.js';
import { TakeOut } from './take-out.js';
import { Trouble } from './trouble.js';
import { TRY_WORDS } from './words.js';

interface BenchProps {
  readonly path: string;
  /** Whether there is a live file at the path. */
  readonly isLive: boolean;
  readonly draft: Draft | null;
  readonly put: (draft: Draft) => void;
  readonly drop: () => void;
  readonly filters: Readonly<Record<'event' | 'events' | 'type', string>>;
  readonly set: (changes: Partial<Record<keyof Order, string>>) => void;
}

/** The live file is fetched first: an edit begins from it. */
export function Bench(props: BenchProps) {
  const { path, isLive, draft } = props;
  const file = useAnswer<RuleFile>('/rule-sets/live/file', { path }, { when: isLive, every: 30_000 });
  if (file.error && !file.data) return <Problem error={file.error} retry={() => void file.refetch()} />;
  if (isLive && !file.data) return <Skeleton height={420} />;
  const live = file.data?.text ?? null;
  return (
    <EditAndTry
      {...props}
      live={live}
      draft={draft ?? { path, base: live, text: inPlainLineEnds(live ?? '') }}
    />
  );
}

function EditAndTry({
  path,
  live,
  draft,
  put,
  drop,
  filters,
  set,
}: BenchProps & { readonly live: string | null; readonly draft: Draft }) {
  const w = useWords(TRY_WORDS);
  const may = useMay('operator');
  const [trial, setTrial] = useState<{ readonly of: string; readonly answer: Trial } | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [dropping, setDropping] = useState(false);
  const order: Order = {
    event: filters.event,
    type: filters.type,
    events:
      filters.event !== '' || filters.events === 'one' ? 'one' : filters.events === '500' ? '500' : '50',
  };
  const ready = order.events !== 'one' || order.event !== '';
  const changed = isChanged(draft);

  const run = async (): Promise<void> => {
    if (busy || !ready || !may) return;
    setBusy(true);
    setError(null);
    try {
      const body: Partial<TrialBody> = {
        path,
        text: fileTextOf(draft),
        ...(order.events === 'one' ? { event: order.event } : { events: Number(order.events) }),
        ...(order.events !== 'one' && order.type !== '' ? { type: order.type } : {}),
      };
      setTrial({ of: draft.text, answer: await api.post<Trial>('/trials', body) });
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  const onKey = (key: KeyboardEvent): void => {
    if (key.key !== 'Enter' || !(key.ctrlKey || key.metaKey)) return;
    // The editor would begin a line with it.
    key.preventDefault();
    key.stopPropagation();
    void run();
  };
  const findings = trial?.answer.findings ?? [];
  const own = findings.filter(({ file }) => file === path);
  const stale = trial !== null && trial.of !== draft.text;

  return (
    <Box onKeyDownCapture={onKey}>
      <Card withBorder padding="sm" mb="md">
        <OrderForm
          order={order}
          set={(changes) => {
            // An event stands in the address only while it is what is tried.
            if (changes.events !== undefined && changes.events !== 'one') set({ ...changes, event: '' });
            else set(changes);
          }}
          run={() => void run()}
          busy={busy}
          ready={ready}
        />
      </Card>
      {draft.base !== live && (
        <Alert color="orange" title={w.liveMoved} mb="md">
          <Text size="sm">{w.liveMovedAbout}</Text>
          <Button size="compact-sm" variant="default" mt="xs" onClick={() => put({ ...draft, base: live })}>
            {w.rebase}
          </Button>
        </Alert>
      )}
      <Grid gap="md">
        <Grid.Col span={{ base: 12, lg: 6 }}>
          <Stack>
            <Box>
              <Group justify="space-between" gap="xs" mb={6} mih={30}>
                <Group gap="xs">
                  <EditMark draft={draft} changed={changed} />
                  <Text span fz="xs" c="dimmed">
                    {w.leaveEditor}
                  </Text>
                </Group>
                {changed && (
                  <Group gap="xs">
                    <StartBacktest after={{ path, text: fileTextOf(draft) }} />
                    <Button size="xs" variant="subtle" color="red" onClick={() => setDropping(true)}>
                      {w.drop}
                    </Button>
                  </Group>
                )}
              </Group>
              <Editor
                text={draft.text}
                label={w.editor(path)}
                marks={stale ? [] : marksOf(own, draft.text)}
                change={(text) => put({ ...draft, text })}
              />
            </Box>
            <Card withBorder padding="sm" component="section" aria-label={w.findings}>
              <Title order={2} fz="h4" mb="xs">
                {w.findings}
              </Title>
              {trial === null ? (
                <Text fz="sm" c="dimmed">
                  {w.findingsLater}
                </Text>
              ) : findings.length === 0 ? (
                <Text fz="sm">{w.noFindings}</Text>
              ) : (
                <FindingList findings={findings} file={own.length < findings.length} />
              )}
            </Card>
            <TakeOut draft={draft} />
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 6 }} aria-live="polite" aria-busy={busy}>
          <Stack>
            {error !== null && <Trouble error={error} retry={() => void run()} />}
            {busy && (
              <Group gap="sm" role="status">
                <Loader size="sm" aria-hidden />
                <Text fz="sm">{w.running}</Text>
              </Group>
            )}
            {trial ? (
              <Results key={trial.of} trial={trial.answer} stale={stale} />
            ) : (
              error === null &&
              !busy && (
                <Card withBorder padding="xl">
                  <Center>
                    <Stack gap={4}>
                      <Text ta="center" fw={600}>
                        {w.resultsEmpty}
                      </Text>
                      <Text ta="center" c="dimmed" fz="sm">
                        {w.resultsEmptyAbout}
                      </Text>
                    </Stack>
                  </Center>
                </Card>
              )
            )}
          </Stack>
        </Grid.Col>
      </Grid>
      {dropping && (
        <Confirm
          title={w.dropTitle}
          act={w.drop}
          colour="red"
          close={() => setDropping(false)}
          done={() => {
            drop();
            return Promise.resolve();
          }}
        >
          {w.dropAbout(path)}
        </Confirm>
      )}
    </Box>
  );
}

/** Whether the text is another than the live file's, and by how many lines. */
function EditMark({ draft, changed }: { readonly draft: Draft; readonly changed: boolean }) {
  const w = useWords(TRY_WORDS);
  if (!changed)
    return (
      <Badge color="gray" variant="light" tt="none">
        {w.unchanged}
      </Badge>
    );
  const { added, removed } = sizeOf(draft.base, fileTextOf(draft));
  return (
    <>
      <Badge color="orange" variant="light" tt="none">
        {draft.base === null ? w.isNew : w.edited}
      </Badge>
      <Text span fz="sm">
        {w.editedLines(added, removed)}
      </Text>
    </>
  );
}
