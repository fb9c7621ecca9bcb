import { TextInput } from '@mantine/core';
import { useWords } from '../../words/words.js';
import { REPLAY_WORDS } from './words.js';

/** Whoever goes on has seen how many are meant. */
export function TypedCount({
  count,
  typed,
  change,
}: {
  readonly count: number;
  readonly typed: string;
  readonly change: (typed: string) => void;
}) {
  const w = useWords(REPLAY_WORDS);
  return (
    <TextInput
      label={w.ask(count)}
      description={w.askAbout}
      inputMode="numeric"
      autoComplete="off"
      value={typed}
      onChange={(changed) => {
        change(changed.currentTarget.value);
      }}
    />
  );
}

export function isTyped(typed: string, count: number): boolean {
  return typed.trim() === String(count);
}
