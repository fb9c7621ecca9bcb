import { Button, Group, Modal, Select, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api } from '../../api/client.js';
import { useSession } from '../../api/session.js';
import type { MadeToken, UserRole } from '../../api/types.js';
import { Problem } from '../../parts/problem.js';
import { RoleSelect } from '../../parts/role-select.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { TOKENS } from './words.js';

const DAYS = [7, 30, 90, 180, 365];
/** What the service takes as a name. */
const NAME = /^[\p{L}\p{N}._ @-]{1,64}$/u;

/** What a token is for, what it may and how long: never more than who makes it. */
export function NewTokenDialog({
  made,
  close,
}: {
  readonly made: (token: MadeToken) => void;
  readonly close: () => void;
}) {
  const w = useWords(TOKENS);
  const shown = useWords(SHOWN);
  const session = useSession();
  const [name, setName] = useState('');
  const [role, setRole] = useState<UserRole>('viewer');
  const [days, setDays] = useState('90');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const wrong = name !== '' && !NAME.test(name);
  const make = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      made(await api.post<MadeToken>('/tokens', { name, role, expiresInDays: Number(days) }));
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return (
    <Modal
      opened
      centered
      title={w.makeTitle}
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
            placeholder="grafana"
            required
            data-autofocus
            maxLength={64}
            value={name}
            error={wrong}
            onChange={(change) => {
              setName(change.currentTarget.value);
            }}
          />
          <RoleSelect value={role} change={setRole} most={session.role} />
          <Select
            label={w.expiry}
            allowDeselect={false}
            value={days}
            data={DAYS.map((one) => ({ value: String(one), label: w.days(one) }))}
            onChange={(next) => {
              if (next !== null) setDays(next);
            }}
          />
          {error !== null && <Problem error={error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {shown.close}
            </Button>
            <Button type="submit" loading={busy} disabled={name === '' || wrong}>
              {w.make}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
