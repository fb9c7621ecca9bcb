import { Badge, Group, Text } from '@mantine/core';
import { IconEqual, IconMinus, IconPencil, IconPlus } from '@tabler/icons-react';
import type { Trial } from '../../api/types.js';
import { useWords } from '../../words/words.js';
import { TRY_WORDS } from './words.js';

export type Change = Trial['rules'][number]['change'];
export type TriedEvent = Trial['events'][number];
export type TriedRule = TriedEvent['rules'][number];
export type TriedDelivery = TriedEvent['deliveries'][number];

export const CHANGES = ['added', 'removed', 'changed', 'same'] as const satisfies readonly Change[];

const LOOKS = {
  added: { colour: 'teal', icon: IconPlus },
  removed: { colour: 'red', icon: IconMinus },
  changed: { colour: 'blue', icon: IconPencil },
  same: { colour: 'gray', icon: IconEqual },
} as const;

/** What becomes of a delivery, or of all of them: an icon, a word, and how many. */
export function ChangeMark({ change, text }: { readonly change: Change; readonly text: string }) {
  const { colour, icon: Icon } = LOOKS[change];
  return (
    <Badge color={colour} variant="light" tt="none" leftSection={<Icon size={12} aria-hidden />}>
      {text}
    </Badge>
  );
}

/** How many deliveries come, go, look different or stay. */
export function DeliveryCounts({ deliveries }: { readonly deliveries: Trial['deliveries'] }) {
  const w = useWords(TRY_WORDS);
  return (
    <Group gap="xs">
      <Text span fz="sm" fw={600}>
        {w.deliveries}
      </Text>
      {CHANGES.map((change) => (
        <ChangeMark key={change} change={change} text={`${deliveries[change]} ${w[change]}`} />
      ))}
    </Group>
  );
}

/** Whether the edit makes a difference to an event. */
export function isDifferent({ rules, deliveries }: TriedEvent): boolean {
  return (
    rules.some(({ now, before }) => now !== before) || deliveries.some(({ change }) => change !== 'same')
  );
}
