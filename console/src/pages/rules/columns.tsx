import { Box, Group, Stack, Text, Tooltip } from '@mantine/core';
import { useWords } from '../../words/words.js';
import { RULES_WORDS } from './words.js';
import './columns.css';

export interface Kind {
  readonly name: string;
  /** A colour of CSS. */
  readonly colour: string;
  /** Beside its colour it has a pattern, so that it is told by more than that. */
  readonly pattern: 'plain' | 'stripes' | 'dots' | 'hollow';
}

export interface ColumnOf {
  readonly key: string;
  /** When it was. */
  readonly name: string;
  /** One for each kind. */
  readonly counts: readonly number[];
}

/** Counts over time as columns, the kinds of each upon each other. */
export function Columns({
  label,
  kinds,
  columns,
  from,
  until,
  height = 140,
}: {
  /** What it shows, for those who do not see it. */
  readonly label: string;
  readonly kinds: readonly Kind[];
  readonly columns: readonly ColumnOf[];
  /** What stands below its two ends. */
  readonly from: string;
  readonly until: string;
  readonly height?: number;
}) {
  const w = useWords(RULES_WORDS);
  const totals = columns.map(({ counts }) => counts.reduce((sum, one) => sum + one, 0));
  const most = Math.max(1, ...totals);
  const sums = kinds.map(
    ({ name }, at) => `${name} ${columns.reduce((sum, { counts }) => sum + (counts[at] ?? 0), 0)}`,
  );
  return (
    <Stack gap={6}>
      <Group gap="md" aria-hidden>
        {kinds.map(({ name, colour, pattern }) => (
          <Group key={name} gap={6} wrap="nowrap">
            <Box className="column-part" data-pattern={pattern} w={12} h={12} style={{ '--kind': colour }} />
            <Text span fz="xs">
              {name}
            </Text>
          </Group>
        ))}
        <Text span fz="xs" c="dimmed" ml="auto">
          {w.most(Math.max(0, ...totals))}
        </Text>
      </Group>
      <Box className="columns" role="img" aria-label={`${label}: ${sums.join(', ')}`} h={height}>
        {columns.map(({ key, name, counts }) => (
          <Tooltip.Floating
            key={key}
            label={`${name} · ${kinds.map((kind, at) => `${kind.name} ${counts[at] ?? 0}`).join(' · ')}`}
            multiline
            maw={280}
          >
            <Box className="column">
              {kinds.map((kind, at) => {
                const count = counts[at] ?? 0;
                return count === 0 ? null : (
                  <Box
                    key={kind.name}
                    className="column-part"
                    data-pattern={kind.pattern}
                    style={{ '--kind': kind.colour, height: `${(count / most) * 100}%` }}
                  />
                );
              })}
            </Box>
          </Tooltip.Floating>
        ))}
      </Box>
      <Group justify="space-between" aria-hidden>
        <Text span fz="xs" c="dimmed">
          {from}
        </Text>
        <Text span fz="xs" c="dimmed">
          {until}
        </Text>
      </Group>
    </Stack>
  );
}
