import { Badge, Group, Progress, Stack, Text } from '@mantine/core';
import { IconClockExclamation } from '@tabler/icons-react';
import type { Silence } from '../../api/types.js';
import { exactMoment, relativeMoment, useNow } from '../../parts/moment.js';
import { useLanguage, useWords } from '../../words/words.js';
import { SILENCE_WORDS } from './words.js';

/** How much of its time a silence in force has left. */
export function TimeLeft({ silence }: { readonly silence: Silence }) {
  const w = useWords(SILENCE_WORDS);
  const { language } = useLanguage();
  const now = useNow();
  const [start, end] = [Date.parse(silence.startsAt), Date.parse(silence.endsAt)];
  const left = Math.max(0, Math.min(1, (end - now) / Math.max(1, end - start)));
  const percent = Math.round(left * 100);
  return (
    <Stack gap={4} miw={150}>
      <Group gap={6}>
        <Text span size="sm" fw={600}>
          {w.ends(relativeMoment(silence.endsAt, now, language))}
        </Text>
        {silence.endsSoon && (
          <Badge color="orange" variant="light" tt="none" leftSection={<IconClockExclamation size={14} />}>
            {w.endsSoon}
          </Badge>
        )}
      </Group>
      <Progress
        value={percent}
        color={silence.endsSoon ? 'orange' : 'violet'}
        aria-label={w.left(percent)}
        size="sm"
      />
      <Text size="xs" c="dimmed">
        {exactMoment(silence.endsAt)}
      </Text>
    </Stack>
  );
}
