import { Badge, Text } from '@mantine/core';
import type { ReplayOfMany } from '../../api/types.js';
import { useWords } from '../../words/words.js';
import { REPLAY_WORDS } from './words.js';

const STATES: Readonly<Record<ReplayOfMany['state'], string>> = {
  pending: 'gray',
  running: 'blue',
  done: 'teal',
  cancelled: 'gray',
  failed: 'red',
};

export function ReplayState({ state }: { readonly state: ReplayOfMany['state'] }) {
  const w = useWords(REPLAY_WORDS);
  return (
    <Badge color={STATES[state]} variant="light" tt="none">
      {w[state]}
    </Badge>
  );
}

type Words = (typeof REPLAY_WORDS)['en'];

/** What comes of an action or of a delivery, in words; a newer service's word as it is. */
export function useOutcomeWord(): (kind: 'asked' | 'outcome', word: string) => string {
  const w = useWords(REPLAY_WORDS);
  return (kind, word) => {
    const key = `${kind} ${word}`;
    return Object.hasOwn(w, key) ? (w[key as keyof Words] as string) : word;
  };
}

/** What has come of an order so far, in a line. */
export function CountsText({ of: { counts, deliveries } }: { readonly of: ReplayOfMany }) {
  const word = useOutcomeWord();
  const recalled = Object.entries(deliveries ?? {}).filter(([what, count]) => what !== 'total' && count > 0);
  const parts = [
    ...recalled.map(([what, count]) => `${count} ${word('outcome', what)}`),
    ...counts.map(({ outcome, count }) => `${count} ${word('asked', outcome)}`),
  ];
  return (
    <Text span fz="sm">
      {parts.length === 0 ? '–' : parts.join(' · ')}
    </Text>
  );
}
