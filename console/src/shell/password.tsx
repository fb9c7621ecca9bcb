import { Button, PasswordInput, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { api } from '../api/client.js';
import { Problem, tellDone } from '../parts/problem.js';
import { useWords } from '../words/words.js';
import { SHELL } from './shell-words.js';

/** Changing one's own password; with a one-time password nothing else is open before. */
export function PasswordForm({ must, changed }: { readonly must: boolean; readonly changed: () => void }) {
  const w = useWords(SHELL);
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [again, setAgain] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const differs = again !== '' && again !== next;
  const change = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await api.post('/password', { current, next });
      tellDone(w.changed);
      changed();
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  const field = (label: string, value: string, set: (text: string) => void, autoComplete: string) => (
    <PasswordInput
      label={label}
      required
      value={value}
      autoComplete={autoComplete}
      {...(label === w.next ? { description: w.nextAbout } : {})}
      {...(label === w.nextAgain && differs ? { error: w.notSame } : {})}
      onChange={(typed) => {
        set(typed.currentTarget.value);
      }}
    />
  );
  return (
    <form
      onSubmit={(submit) => {
        submit.preventDefault();
        if (!differs) void change();
      }}
    >
      <Stack>
        {must && <Text size="sm">{w.mustChange}</Text>}
        {field(w.current, current, setCurrent, 'current-password')}
        {field(w.next, next, setNext, 'new-password')}
        {field(w.nextAgain, again, setAgain, 'new-password')}
        {error !== null && <Problem error={error} />}
        <Button type="submit" loading={busy} disabled={differs}>
          {w.changePassword}
        </Button>
      </Stack>
    </form>
  );
}
