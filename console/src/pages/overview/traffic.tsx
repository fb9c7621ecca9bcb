import { Box, Card, Group, SimpleGrid, Text, Title } from '@mantine/core';
import { useMemo } from 'react';
import type { Overview } from '../../api/types.js';
import { Chart } from '../../parts/lazy.js';
import { useWords } from '../../words/words.js';
import { useCount } from './numbers.js';
import { OVERVIEW_WORDS } from './words.js';

const HEIGHT = 118;

/** The last hour minute by minute, with the sums of the last day. */
export function Traffic({ minutes, lastDay }: Pick<Overview, 'minutes' | 'lastDay'>) {
  const w = useWords(OVERVIEW_WORDS);
  const count = useCount();
  // The chart is drawn anew whenever it is given other arrays.
  const { times, events, matches, deliveries } = useMemo(
    () => ({
      times: minutes.map(({ at }) => Date.parse(at)),
      events: [
        {
          name: w.events,
          colour: 'var(--mantine-color-blue-6)',
          values: minutes.map((one) => one.events),
        },
      ],
      matches: [
        {
          name: w.matches,
          colour: 'var(--mantine-color-teal-6)',
          values: minutes.map((one) => one.matches),
        },
      ],
      deliveries: [
        { name: w.made, colour: 'var(--mantine-color-blue-6)', values: minutes.map((one) => one.deliveries) },
        {
          name: w.deliveredSeries,
          colour: 'var(--mantine-color-teal-6)',
          values: minutes.map((one) => one.delivered),
        },
        {
          name: w.failedSeries,
          colour: 'var(--mantine-color-red-6)',
          values: minutes.map((one) => one.failed),
        },
      ],
    }),
    [minutes, w],
  );
  const charts = [
    { id: 'events', label: w.eventsChart, name: w.events, day: lastDay?.events, also: null, series: events },
    {
      id: 'matches',
      label: w.matchesChart,
      name: w.matches,
      day: lastDay?.matches,
      also: null,
      series: matches,
    },
    {
      id: 'deliveries',
      label: w.deliveriesChart,
      name: w.deliveries,
      day: lastDay?.deliveries,
      also: lastDay ? w.deliveredOf(count(lastDay.delivered)) : null,
      series: deliveries,
    },
  ] as const;
  return (
    <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="sm">
      {charts.map(({ id, label, name, day, also, series }) => (
        <Card key={id} withBorder padding="sm" component="section" aria-labelledby={`traffic-${id}`}>
          <Group justify="space-between" align="baseline" gap="xs" mb={4}>
            <Title order={2} fz="h4" id={`traffic-${id}`}>
              {name}
            </Title>
            <Text size="sm" c="dimmed">
              <Text span fz="lg" fw={700} c="var(--mantine-color-text)">
                {count(day ?? null)}
              </Text>{' '}
              {w.lastDay}
              {also !== null && <> · {also}</>}
            </Text>
          </Group>
          <Chart label={label} times={times} series={series} height={HEIGHT} legend={false} />
          <Group gap="sm" mt={2}>
            {series.length > 1 ? (
              series.map((one) => (
                <Group key={one.name} gap={5} wrap="nowrap">
                  <Box className="swatch" style={{ background: one.colour }} />
                  <Text span size="xs">
                    {one.name}
                  </Text>
                </Group>
              ))
            ) : (
              <Text span size="xs" c="dimmed">
                {w.perMinute}
              </Text>
            )}
          </Group>
        </Card>
      ))}
    </SimpleGrid>
  );
}
