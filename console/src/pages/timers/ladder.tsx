import { Box, Group, Text, Tooltip } from '@mantine/core';
import { IconCircle, IconCircleCheckFilled, IconCircleHalf2, IconCircleX } from '@tabler/icons-react';
import { Fragment, type ReactNode } from 'react';
import { useWords } from '../../words/words.js';
import type { LadderStep } from './ladder-steps.js';
import { TIMER_WORDS } from './words.js';

const SIGNS: Readonly<Record<LadderStep['stands'], ReactNode>> = {
  sent: <IconCircleCheckFilled size={16} color="var(--mantine-color-teal-6)" aria-hidden />,
  next: <IconCircleHalf2 size={16} color="var(--mantine-color-blue-6)" aria-hidden />,
  later: <IconCircle size={16} color="var(--mantine-color-gray-6)" aria-hidden />,
  stopped: <IconCircleX size={16} color="var(--mantine-color-red-6)" aria-hidden />,
};

/** The steps of an escalation as a picture: sent, next, to come, or where it was cancelled. */
export function Ladder({ steps, ended }: { readonly steps: readonly LadderStep[]; readonly ended: boolean }) {
  const w = useWords(TIMER_WORDS);
  const said = steps.map(({ name, stands }) => `${name} (${w[stands]})`).join(', ');
  return (
    <Group gap={4} role="img" aria-label={w.ladder(said)}>
      {steps.map(({ name, after, stands }, index) => (
        <Fragment key={name}>
          {index > 0 && <Box w={14} h={2} bg="var(--mantine-color-default-border)" />}
          <Tooltip
            label={[name, after === null ? null : w.after(after), w[stands]].filter(Boolean).join(' · ')}
          >
            <Group gap={3} wrap="nowrap">
              {SIGNS[stands]}
              <Text
                span
                fz="xs"
                fw={stands === 'next' ? 700 : 400}
                td={ended && stands !== 'sent' ? 'line-through' : undefined}
                style={{ overflowWrap: 'anywhere' }}
              >
                {name}
              </Text>
            </Group>
          </Tooltip>
        </Fragment>
      ))}
    </Group>
  );
}
