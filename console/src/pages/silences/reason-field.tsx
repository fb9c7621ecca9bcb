import { Textarea } from '@mantine/core';
import { useWords } from '../../words/words.js';
import { SILENCE_WORDS } from './words.js';

export function ReasonField({
  value,
  change,
  error,
}: {
  readonly value: string;
  readonly change: (reason: string) => void;
  readonly error: string | undefined;
}) {
  const w = useWords(SILENCE_WORDS);
  return (
    <Textarea
      label={w.reason}
      description={w.reasonAbout}
      required
      autosize
      minRows={2}
      maxLength={500}
      value={value}
      error={error}
      onChange={(changed) => {
        change(changed.currentTarget.value);
      }}
    />
  );
}
