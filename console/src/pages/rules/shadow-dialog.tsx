import { Alert, Box, Code, Group, Modal, Skeleton, Stack, Text } from '@mantine/core';
import { segment } from '../../api/client.js';
import { useAnswer } from '../../api/queries.js';
import type { ShadowDelivery } from '../../api/types.js';
import { Merge } from '../../parts/lazy-merge.js';
import { To } from '../../parts/links.js';
import { useNarrow } from '../../parts/narrow.js';
import { Problem } from '../../parts/problem.js';
import { JsonText } from '../../parts/texts.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { SHADOW_WORDS } from './shadow-words.js';

/** What a rule in shadow mode would have sent, beside what its live twin has sent. */
export function ShadowDialog({ id, close }: { readonly id: string; readonly close: () => void }) {
  const w = useWords(SHADOW_WORDS);
  const shown = useWords(SHOWN);
  const narrow = useNarrow();
  const { data, error, refetch } = useAnswer<ShadowDelivery>(`/shadow-deliveries/${segment(id)}`);
  return (
    <Modal
      opened
      onClose={close}
      size="xl"
      fullScreen={narrow}
      title={
        <Text fw={650} style={{ overflowWrap: 'anywhere' }}>
          {data ? w.openTitle(data.action) : w.shadow}
        </Text>
      }
      closeButtonProps={{ 'aria-label': shown.close }}
    >
      {error ? (
        <Problem error={error} retry={() => void refetch()} />
      ) : data ? (
        <Sides delivery={data} />
      ) : (
        <Skeleton height={240} aria-label={shown.loading} />
      )}
    </Modal>
  );
}

function Sides({ delivery }: { readonly delivery: ShadowDelivery }) {
  const w = useWords(SHADOW_WORDS);
  const shown = useWords(SHOWN);
  const { twin, request, changes, target, state, code, reason, masked } = delivery;
  if (masked) return <Alert color="gray">{shown.masked}</Alert>;
  const text = (of: ShadowDelivery['request'], to: string): string =>
    JSON.stringify({ target: to, ...of }, null, 2);
  return (
    <Stack>
      {code !== null && (
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          {w[`state ${state}`]}: <Code>{code}</Code> {reason}
        </Text>
      )}
      {twin ? (
        <>
          <Group justify="space-between">
            <Text size="sm">{w.bothRequests}</Text>
            <Text size="sm" component="div">
              <To href={`/deliveries/${segment(twin.id)}`}>{w.openLive}</To>
            </Text>
          </Group>
          <Merge
            before={text(twin.request, twin.target)}
            after={text(request, target)}
            label={w.bothRequests}
          />
          <Text fw={600} size="sm">
            {w.differences}
          </Text>
          {changes.length === 0 ? (
            <Text size="sm">{w.noDifferences}</Text>
          ) : (
            <Stack gap={4}>
              {changes.map((change) => (
                <Box key={change.path} fz="sm" style={{ overflowWrap: 'anywhere' }}>
                  <Code>{change.path}</Code> {valueOf(change, 'before')} → {valueOf(change, 'after')}
                </Box>
              ))}
            </Stack>
          )}
        </>
      ) : (
        <>
          <Text size="sm">{w.nothingSent}</Text>
          <Text fw={600} size="sm">
            {w.shadowRequest}
          </Text>
          {request === null ? <Text size="sm">{w.noRequest}</Text> : <JsonText value={request} />}
        </>
      )}
    </Stack>
  );
}

const LONGEST = 200;

function valueOf(change: ShadowDelivery['changes'][number], side: 'before' | 'after'): string {
  if (!(side in change)) return '–';
  const text = JSON.stringify(change[side]);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
