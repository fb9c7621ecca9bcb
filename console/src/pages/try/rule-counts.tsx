import { Badge, Box, Card, Group, Stack, Text, Title } from '@mantine/core';
import type { StandingCounts, Trial } from '../../api/types.js';
import { type Standing, VerdictMark } from '../../parts/marks.js';
import { useWords } from '../../words/words.js';
import './rule-counts.css';
import { TRY_WORDS } from './words.js';

const ORDER: readonly (readonly [keyof StandingCounts, Standing])[] = [
  ['matched', 'matched'],
  ['nearMiss', 'near miss'],
  ['unknown', 'unknown'],
  ['error', 'error'],
  ['notMatched', 'not matched'],
  ['skipped', 'skipped'],
];

/** How each rule of the file stands to the events: with the live rules, and with the edit. */
export function RuleCounts({ rules }: { readonly rules: Trial['rules'] }) {
  const w = useWords(TRY_WORDS);
  const names = {
    added: w.ruleAdded,
    removed: w.ruleRemoved,
    changed: w.ruleChanged,
    same: w.ruleSame,
  } as const;
  return (
    <Stack gap="sm">
      {rules.map(({ name, change, now, before }) => {
        const shown = ORDER.filter(([one]) => now[one] + before[one] > 0);
        const most = Math.max(1, ...shown.flatMap(([one]) => [now[one], before[one]]));
        return (
          <Card key={name} withBorder padding="sm">
            <Group gap="xs" mb={shown.length > 0 ? 'xs' : 0}>
              <Title order={3} fz="sm" style={{ overflowWrap: 'anywhere' }}>
                {name}
              </Title>
              <Badge variant="default" size="sm" tt="none">
                {names[change]}
              </Badge>
            </Group>
            <Stack gap={8}>
              {shown.map(([one, standing]) => (
                <Group key={one} gap="sm" wrap="nowrap">
                  <Box w={122} style={{ flex: 'none' }}>
                    <VerdictMark standing={standing} />
                  </Box>
                  <Box className="pair" aria-hidden>
                    <Box className="pair-bar" data-side="before" w={`${(before[one] / most) * 100}%`} />
                    <Box className="pair-bar" data-side="now" w={`${(now[one] / most) * 100}%`} />
                  </Box>
                  <Text
                    fz="sm"
                    w={84}
                    ta="right"
                    fw={before[one] === now[one] ? 400 : 700}
                    style={{ flex: 'none', fontVariantNumeric: 'tabular-nums' }}
                    aria-label={`${w.before} ${before[one]}, ${w.now} ${now[one]}`}
                  >
                    {before[one] === now[one] ? now[one] : `${before[one]} → ${now[one]}`}
                  </Text>
                </Group>
              ))}
            </Stack>
          </Card>
        );
      })}
      <Group gap="md" aria-hidden>
        {(['before', 'now'] as const).map((side) => (
          <Group key={side} gap={6}>
            <Box className="pair-bar" data-side={side} w={18} />
            <Text span fz="xs">
              {w[side]}
            </Text>
          </Group>
        ))}
      </Group>
    </Stack>
  );
}
