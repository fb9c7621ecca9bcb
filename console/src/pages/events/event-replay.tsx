import { Box, Button, Group, Modal, Select, Skeleton, Stack, Text, TextInput, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../../api/client.js';
import { askAgain, useAnswer } from '../../api/queries.js';
import type { EventDetail, ReplayAnswer, Rules } from '../../api/types.js';
import { DeliveryState, VerdictMark } from '../../parts/marks.js';
import { Problem, tellDone } from '../../parts/problem.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { EVENTS } from './words.js';

/** Evaluates a stored event again with today's rules: first what would come of it, then, with a click, it is done. */
export function EventReplay({ event, close }: { readonly event: EventDetail; readonly close: () => void }) {
  const w = useWords(EVENTS);
  const shown = useWords(SHOWN);
  const { data: rules } = useAnswer<Rules>('/rules');
  const [rule, setRule] = useState<string | null>(null);
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<unknown>(null);
  const path = `/events/${event.id}/replay`;
  const asked = rule === null ? {} : { rule };
  const preview = useQuery({
    queryKey: ['replay', event.id, rule],
    queryFn: () => api.post<ReplayAnswer>(path, { ...asked, dryRun: true }),
    staleTime: 0,
    gcTime: 0,
  });
  const run = async (): Promise<void> => {
    setBusy(true);
    setFailed(null);
    try {
      const why = reason.trim();
      const { deliveries } = await api.post<ReplayAnswer>(path, {
        ...asked,
        ...(why === '' ? {} : { reason: why }),
      });
      tellDone(w.replayDone(deliveries.length));
      await askAgain(`/events/${event.id}`, `/events/${event.eventId}`, '/deliveries');
      close();
    } catch (problem) {
      setFailed(problem);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal
      opened
      onClose={close}
      title={w.replayTitle}
      size="lg"
      closeButtonProps={{ 'aria-label': shown.close }}
    >
      <form
        onSubmit={(submit) => {
          submit.preventDefault();
          void run();
        }}
      >
        <Stack>
          <Text size="sm" c="dimmed">
            {w.replayAbout}
          </Text>
          <Select
            label={w.replayRule}
            placeholder={w.replayAnyRule}
            data={rules?.items.map(({ name }) => name) ?? []}
            value={rule}
            searchable
            clearable
            onChange={setRule}
          />
          {preview.error !== null ? (
            <Problem error={preview.error} retry={() => void preview.refetch()} />
          ) : preview.data === undefined ? (
            <Skeleton height={140} aria-label={shown.loading} />
          ) : (
            <WouldCome answer={preview.data} />
          )}
          <TextInput
            label={shown.reason}
            maxLength={500}
            value={reason}
            onChange={(change) => {
              setReason(change.currentTarget.value);
            }}
          />
          {failed !== null && <Problem error={failed} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {shown.close}
            </Button>
            <Button type="submit" loading={busy} disabled={preview.data === undefined}>
              {w.replayNow}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** What the rules say today, what goes out because of it, and what does not. */
function WouldCome({ answer }: { readonly answer: ReplayAnswer }) {
  const w = useWords(EVENTS);
  const { verdicts, deliveries, suppressions } = answer;
  return (
    <Stack gap="sm" aria-live="polite">
      <Box>
        <Title order={3} fz="sm">
          {w.verdictsThen}
        </Title>
        {verdicts.length === 0 && <Text size="sm">{w.noneSays}</Text>}
        {verdicts.map((one) => (
          <Group key={one.rule} gap="xs" mt={4}>
            <VerdictMark standing={one.verdict} />
            <Text size="sm" className="anywhere">
              {one.rule}
              {one.missing && one.missing.length > 0 && ` — ${w.becauseMissing} ${one.missing.join(', ')}`}
              {one.error !== undefined && ` — ${one.error}`}
            </Text>
          </Group>
        ))}
      </Box>
      <Box>
        <Title order={3} fz="sm">
          {deliveries.length === 0 ? w.nothingGoes : w.wouldGo(deliveries.length)}
        </Title>
        {deliveries.map((one, at) => (
          <Group key={at} gap="xs" mt={4}>
            <DeliveryState state={one.state} />
            <Text size="sm" className="anywhere">
              {one.rule} · {one.action} → <bdi>{one.target}</bdi>
              {one.code !== null && ` (${one.code})`}
            </Text>
          </Group>
        ))}
      </Box>
      {suppressions.length > 0 && (
        <Box>
          <Title order={3} fz="sm">
            {w.wouldNotGo}
          </Title>
          {suppressions.map(({ rule, action, cause, by }, at) => (
            <Text key={at} size="sm" className="anywhere" mt={4}>
              {rule} · {action} — {w[`cause ${cause}`]}
              {by !== undefined && ` (${by})`}
            </Text>
          ))}
        </Box>
      )}
    </Stack>
  );
}
