import { Alert, Button, Checkbox, Group, Modal, Stack, Table, Text, TextInput } from '@mantine/core';
import { IconArrowBackUp } from '@tabler/icons-react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { api, segment } from '../../api/client.js';
import { askAgain } from '../../api/queries.js';
import type { RecallPreviewAnswer, ReplayOfManyDetail } from '../../api/types.js';
import { DeliveryState } from '../../parts/marks.js';
import { MomentInput } from '../../parts/moment-input.js';
import { OperatorButton } from '../../parts/operator-button.js';
import { Problem } from '../../parts/problem.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { CodeMark } from '../deliveries/code-mark.js';
import { useOutcomeWord } from './marks.js';
import { PreviewShown } from './preview-shown.js';
import { isTyped, TypedCount } from './typed-count.js';
import { REPLAY_WORDS } from './words.js';

const HOURS_MS = 3 * 3_600_000;

interface Draft {
  readonly since: string;
  readonly until: string;
  readonly versions: string;
  readonly replay: boolean;
}

/** Of a rule's page. */
export function RecallButton({ rule }: { readonly rule: string }) {
  const w = useWords(REPLAY_WORDS);
  const [asking, setAsking] = useState(false);
  return (
    <>
      <OperatorButton
        variant="light"
        color="red"
        leftSection={<IconArrowBackUp size={16} aria-hidden />}
        onClick={() => setAsking(true)}
      >
        {w.recall}
      </OperatorButton>
      {asking && <RecallDialog rule={rule} close={() => setAsking(false)} />}
    </>
  );
}

/** Asks over which time, shows what would be done with each delivery, asks for the number, and orders it. */
function RecallDialog({ rule, close }: { readonly rule: string; readonly close: () => void }) {
  const w = useWords(REPLAY_WORDS);
  const shown = useWords(SHOWN);
  const [, go] = useLocation();
  const [draft, setDraft] = useState<Draft>(() => ({
    since: new Date(Date.now() - HOURS_MS).toISOString(),
    until: '',
    versions: '',
    replay: true,
  }));
  const [seen, setSeen] = useState<{ readonly preview: RecallPreviewAnswer; readonly order: object } | null>(
    null,
  );
  const [typed, setTyped] = useState('');
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<unknown>(null);
  const change = (part: Partial<Draft>): void => {
    setDraft((before) => ({ ...before, ...part }));
    setSeen(null);
    setTyped('');
  };
  const run = async (): Promise<void> => {
    setBusy(true);
    setFailed(null);
    try {
      if (seen === null) {
        const order = orderOf(rule, draft);
        setSeen({ order, preview: await api.post<RecallPreviewAnswer>('/recalls/preview', order) });
        return;
      }
      const why = reason.trim();
      const { id } = await api.post<ReplayOfManyDetail>('/recalls', {
        ...seen.order,
        ruleSet: seen.preview.ruleSet,
        ...(why === '' ? {} : { reason: why }),
      });
      await askAgain('/recalls', '/deliveries');
      go(`/recalls/${segment(id)}`);
    } catch (problem) {
      setFailed(problem);
    } finally {
      setBusy(false);
    }
  };
  const count = seen?.preview.deliveries.reduce((sum, one) => sum + one.count, 0) ?? 0;
  return (
    <Modal
      opened
      onClose={close}
      title={w.recallTitle(rule)}
      size="xl"
      closeButtonProps={{ 'aria-label': shown.close }}
    >
      <form
        onSubmit={(submit) => {
          submit.preventDefault();
          void run();
        }}
      >
        <Stack>
          <Text fz="sm" c="dimmed">
            {w.recallAbout}
          </Text>
          <Group grow preventGrowOverflow={false} wrap="wrap" align="flex-start">
            <MomentInput
              label={w.sentFrom}
              required
              value={draft.since}
              change={(since) => change({ since })}
            />
            <MomentInput label={w.sentUntil} value={draft.until} change={(until) => change({ until })} />
          </Group>
          <TextInput
            label={w.versions}
            description={w.versionsAbout}
            value={draft.versions}
            onChange={(changed) => {
              change({ versions: changed.currentTarget.value });
            }}
          />
          <Checkbox
            label={w.alsoMissed}
            checked={draft.replay}
            onChange={(changed) => {
              change({ replay: changed.currentTarget.checked });
            }}
          />
          {seen && (
            <Stack gap="sm" role="status">
              {!seen.preview.mended && <Alert color="orange">{w.notMended}</Alert>}
              <Fates deliveries={seen.preview.deliveries} />
              <PreviewShown preview={seen.preview} />
            </Stack>
          )}
          {seen && (
            <>
              <TextInput
                label={shown.reason}
                maxLength={500}
                value={reason}
                onChange={(changed) => {
                  setReason(changed.currentTarget.value);
                }}
              />
              <TypedCount count={count} typed={typed} change={setTyped} />
            </>
          )}
          {failed !== null && <Problem error={failed} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {shown.close}
            </Button>
            {seen === null ? (
              <Button type="submit" loading={busy} disabled={draft.since === ''}>
                {w.look}
              </Button>
            ) : (
              <Button type="submit" color="red" loading={busy} disabled={!isTyped(typed, count)}>
                {w.runRecall(count)}
              </Button>
            )}
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** What the API is asked for. What is made after it was asked is left alone. */
function orderOf(rule: string, { since, until, versions, replay }: Draft): object {
  const ruleSets = versions.split(/[\s,]+/).filter((one) => one !== '');
  return {
    rule,
    since,
    until: until === '' ? new Date().toISOString() : until,
    replay,
    ...(ruleSets.length === 0 ? {} : { ruleSets }),
  };
}

function Fates({ deliveries }: { readonly deliveries: RecallPreviewAnswer['deliveries'] }) {
  const w = useWords(REPLAY_WORDS);
  const shown = useWords(SHOWN);
  const word = useOutcomeWord();
  if (deliveries.length === 0) return <Text fz="sm">{w.recallNothing}</Text>;
  return (
    <Table.ScrollContainer minWidth={420}>
      <Table aria-label={w.recalled} fz="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{w.count}</Table.Th>
            <Table.Th>{w.becomes}</Table.Th>
            <Table.Th>{shown.state}</Table.Th>
            <Table.Th>{shown.action}</Table.Th>
            <Table.Th>{shown.target}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {deliveries.map((one, at) => (
            <Table.Tr key={at}>
              <Table.Td>{one.count}</Table.Td>
              <Table.Td>
                {word('outcome', one.outcome)} {one.code !== null && <CodeMark code={one.code} />}
              </Table.Td>
              <Table.Td>
                <DeliveryState state={one.state} />
              </Table.Td>
              <Table.Td className="anywhere">{one.action}</Table.Td>
              <Table.Td className="anywhere">
                <bdi>{one.target}</bdi>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
