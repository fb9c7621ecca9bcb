import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api } from '../../api/client.js';
import type { ChangedUser, UserRole } from '../../api/types.js';
import { Problem } from '../../parts/problem.js';
import { RoleSelect } from '../../parts/role-select.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { USERS } from './words.js';

const NAME = /^[a-z0-9._@-]{1,64}$/i;

/** A user with a one-time password, which the answer shows. */
export function NewUserDialog({
  made,
  close,
}: {
  readonly made: (user: ChangedUser) => void;
  readonly close: () => void;
}) {
  const w = useWords(USERS);
  const shown = useWords(SHOWN);
  const [name, setName] = useState('');
  const [role, setRole] = useState<UserRole>('viewer');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const wrong = name !== '' && !NAME.test(name);
  const make = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      made(await api.post<ChangedUser>('/users', { name, role }));
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return (
    <Modal
      opened
      centered
      title={w.addTitle}
      onClose={close}
      closeButtonProps={{ 'aria-label': shown.close }}
    >
      <form
        onSubmit={(submit) => {
          submit.preventDefault();
          if (!wrong) void make();
        }}
      >
        <Stack>
          <TextInput
            label={w.name}
            description={w.nameAbout}
            required
            data-autofocus
            maxLength={64}
            autoComplete="off"
            value={name}
            error={wrong}
            onChange={(change) => {
              setName(change.currentTarget.value);
            }}
          />
          <RoleSelect value={role} change={setRole} />
          {error !== null && <Problem error={error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {shown.close}
            </Button>
            <Button type="submit" loading={busy} disabled={name === '' || wrong}>
              {w.add}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
