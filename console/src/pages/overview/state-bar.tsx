import { Box, Card, Group, Text, Title } from '@mantine/core';
import { Link } from 'wouter';
import type { Delivery, Overview } from '../../api/types.js';
import { deliveryColour } from '../../parts/marks.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { deliveriesAt } from '../targets/state-counts.js';
import { useCount } from './numbers.js';
import { OVERVIEW_WORDS } from './words.js';

/** What waits for a person first, then what is on its way, then what is done. */
const ORDER: readonly Delivery['state'][] = [
  'dead',
  'held',
  'pending',
  'delivering',
  'deferred',
  'delivered',
  'cancelled',
];

/** Two are gray: what is done with is the fainter. */
function shadeOf(state: Delivery['state']): string {
  return `var(--mantine-color-${deliveryColour(state)}-${state === 'cancelled' ? 4 : 6})`;
}

/** Deliveries by state as one bar, with the numbers below; each part leads to those deliveries. */
export function StateBar({ states }: { readonly states: Overview['states'] }) {
  const w = useWords(OVERVIEW_WORDS);
  const shown = useWords(SHOWN);
  const count = useCount();
  const parts = ORDER.filter((state) => (states[state] ?? 0) > 0);
  return (
    <Card withBorder padding="sm" component="section" aria-labelledby="states">
      <Group justify="space-between" gap="xs" mb={6}>
        <Title order={2} fz="h4" id="states">
          {w.states}
        </Title>
        <Text size="xs" c="dimmed">
          {w.statesAbout}
        </Text>
      </Group>
      {parts.length === 0 ? (
        <Text size="sm" c="dimmed">
          {w.noDeliveries}
        </Text>
      ) : (
        <Box className="states" role="presentation">
          {parts.map((state) => (
            <Link
              key={state}
              href={deliveriesAt(state)}
              title={`${shown[state]} ${count(states[state])}`}
              aria-label={`${shown[state]} ${count(states[state])}`}
              // The legend has the same ways for the keyboard.
              tabIndex={-1}
              style={{ flex: `${states[state] ?? 0} 1 0`, background: shadeOf(state) }}
            />
          ))}
        </Box>
      )}
      <Group gap="xs" mt={8}>
        {ORDER.map((state) => (
          <Link key={state} href={deliveriesAt(state)} className="way">
            <Group gap={6} wrap="nowrap" px={4} mih={32}>
              <Box className="swatch" style={{ background: shadeOf(state) }} />
              <Text span size="sm">
                {shown[state]}
              </Text>
              <Text span size="sm" fw={700} style={{ fontVariantNumeric: 'tabular-nums' }}>
                {count(states[state])}
              </Text>
            </Group>
          </Link>
        ))}
      </Group>
    </Card>
  );
}
