import { Alert, Button, Center, Group, SegmentedControl, Stack, Text, Title } from '@mantine/core';
import { useState } from 'react';
import type { Trial } from '../../api/types.js';
import { exactMoment } from '../../parts/moment.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { DeliveryCounts, isDifferent } from './changes.js';
import { RuleCounts } from './rule-counts.js';
import { TriedEventCard } from './tried-event.js';
import { TRY_WORDS } from './words.js';

/** So many events are shown at first, and again with each "more". */
const STEP = 20;

/** What the edit would have done with the events, against what the live rules do. */
export function Results({ trial, stale }: { readonly trial: Trial; readonly stale: boolean }) {
  const w = useWords(TRY_WORDS);
  const errors = trial.findings.filter(({ severity }) => severity === 'error').length;
  return (
    <Stack>
      {stale && <Alert color="orange">{w.stale}</Alert>}
      {!trial.ok ? (
        <Alert color="red" title={w.notTried(errors)} role="alert">
          {w.notTriedAbout}
        </Alert>
      ) : trial.looked === 0 ? (
        <Alert color="gray" title={w.nothingLooked}>
          {w.nothingLookedAbout}
        </Alert>
      ) : (
        <>
          <Text fz="sm">
            {w.looked(trial.looked)}
            {trial.from !== null &&
              trial.until !== null &&
              ` · ${exactMoment(trial.from)} – ${exactMoment(trial.until)}`}
          </Text>
          <DeliveryCounts deliveries={trial.deliveries} />
          {trial.left > 0 && (
            <Text fz="sm" c="dimmed">
              {w.left(trial.left)}
            </Text>
          )}
          <Title order={2} fz="h4">
            {w.perRule}
          </Title>
          <RuleCounts rules={trial.rules} />
          <Events events={trial.events} untold={trial.untold} />
        </>
      )}
    </Stack>
  );
}

function Events({ events, untold }: { readonly events: Trial['events']; readonly untold: number }) {
  const w = useWords(TRY_WORDS);
  const shown = useWords(SHOWN);
  const different = events.filter(isDifferent);
  const [which, setWhich] = useState<'different' | 'all'>(different.length > 0 ? 'different' : 'all');
  const [most, setMost] = useState(STEP);
  // What changes comes first; both halves keep their order, the latest first.
  const all = [...different, ...events.filter((event) => !isDifferent(event))];
  const chosen = which === 'different' ? different : all;
  return (
    <>
      <Group justify="space-between" gap="xs">
        <Title order={2} fz="h4">
          {w.byEvent}
        </Title>
        <SegmentedControl
          size="xs"
          aria-label={w.byEvent}
          value={which}
          data={[
            { value: 'different', label: `${w.onlyChanges} (${different.length})` },
            { value: 'all', label: `${w.everything} (${events.length})` },
          ]}
          onChange={(next) => {
            setWhich(next);
            setMost(STEP);
          }}
        />
      </Group>
      {chosen.length === 0 && <Text fz="sm">{w.noChange}</Text>}
      {chosen.slice(0, most).map((event) => (
        <TriedEventCard key={event.id} event={event} />
      ))}
      {chosen.length > most && (
        <Center>
          <Button variant="subtle" onClick={() => setMost(most + STEP)}>
            {shown.more} ({w.showing(most, chosen.length)})
          </Button>
        </Center>
      )}
      {untold > 0 && (
        <Text fz="sm" c="dimmed">
          {w.untold(untold)}
        </Text>
      )}
    </>
  );
}
