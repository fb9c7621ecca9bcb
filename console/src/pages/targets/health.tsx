import { Badge, Group, Text, Tooltip } from '@mantine/core';
import { IconCheck, IconHelp, IconX } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { Target } from '../../api/types.js';
import { Moment } from '../../parts/moment.js';
import { useWords } from '../../words/words.js';
import { TARGET_WORDS } from './words.js';

export type Health = Target['breaker'] | 'refusing';

/**
 * How a target does. One that answers and refuses everything has a closed breaker, and is not well either: its last
 * attempt failed, and there are dead letters.
 */
export function healthOf(target: Target): Health {
  const { breaker, dead, lastFailedAt, lastDeliveredAt } = target;
  if (breaker !== 'closed') return breaker;
  const failedLast = lastFailedAt !== null && (lastDeliveredAt === null || lastFailedAt > lastDeliveredAt);
  return failedLast && dead > 0 ? 'refusing' : 'closed';
}

const LOOKS: Readonly<Record<Health, { readonly colour: string; readonly icon: ReactNode }>> = {
  closed: { colour: 'teal', icon: <IconCheck size={14} /> },
  'half-open': { colour: 'yellow', icon: <IconHelp size={14} /> },
  refusing: { colour: 'orange', icon: <IconX size={14} /> },
  open: { colour: 'red', icon: <IconX size={14} /> },
};

/** What needs a person first, then what is being tried, then what is well. */
const URGENCY: readonly Health[] = ['open', 'half-open', 'refusing', 'closed'];

export function byUrgency(a: Target, b: Target): number {
  return (
    URGENCY.indexOf(healthOf(a)) - URGENCY.indexOf(healthOf(b)) ||
    b.dead + b.held - a.dead - a.held ||
    (a.target < b.target ? -1 : 1)
  );
}

export function HealthMark({ target }: { readonly target: Target }) {
  const w = useWords(TARGET_WORDS);
  const health = healthOf(target);
  const { colour, icon } = LOOKS[health];
  return (
    <Tooltip label={w[`${health}About`]}>
      <Badge color={colour} variant={health === 'open' ? 'filled' : 'light'} leftSection={icon}>
        {w[health]}
      </Badge>
    </Tooltip>
  );
}

/** The same with why: how often it failed, and when it is tried next. */
export function HealthCell({ target }: { readonly target: Target }) {
  const w = useWords(TARGET_WORDS);
  return (
    <Group gap={6}>
      <HealthMark target={target} />
      {target.failures > 0 && (
        <Text span fz="xs">
          {w.inARow(target.failures)}
        </Text>
      )}
      {target.breaker === 'open' && target.probeAt !== null && (
        <Text span fz="xs">
          {w.probe} <Moment time={target.probeAt} />
        </Text>
      )}
    </Group>
  );
}
