import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { SHOWN } from '../words/shown-words.js';
import { useWords } from '../words/words.js';
import { Problem } from './problem.js';

/**
 * Asks before something is done that cannot be taken back. Says what, waits until it is done, and shows why it was not.
 */
export function Confirm({
  title,
  children,
  act,
  colour = 'teal',
  reason,
  ready = true,
  done,
  close,
}: {
  readonly title: string;
  readonly children: ReactNode;
  /** What the button says. */
  readonly act: string;
  readonly colour?: string;
  /** Whether a reason is asked for, and must be given. */
  readonly reason?: 'may' | 'must';
  /** False: something is still to be given in `children`. */
  readonly ready?: boolean;
  /** Does it. The reason is empty when none was given. */
  readonly done: (reason: string) => Promise<void>;
  readonly close: () => void;
}) {
  const w = useWords(SHOWN);
  const [why, setWhy] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const run = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await done(why.trim());
      close();
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={close} title={title} centered closeButtonProps={{ 'aria-label': w.close }}>
      <form
        onSubmit={(submit) => {
          submit.preventDefault();
          void run();
        }}
      >
        <Stack>
          <Text size="sm" component="div">
            {children}
          </Text>
          {reason && (
            <TextInput
              label={w.reason}
              required={reason === 'must'}
              maxLength={500}
              value={why}
              data-autofocus
              onChange={(change) => {
                setWhy(change.currentTarget.value);
              }}
            />
          )}
          {error !== null && <Problem error={error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {w.close}
            </Button>
            <Button
              type="submit"
              color={colour}
              loading={busy}
              disabled={!ready || (reason === 'must' && why.trim() === '')}
            >
              {act}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
