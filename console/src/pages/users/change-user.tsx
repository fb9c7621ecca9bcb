import { Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api, segment } from '../../api/client.js';
import { askAgain } from '../../api/queries.js';
import type { ChangedUser, User, UserRole } from '../../api/types.js';
import { Confirm } from '../../parts/confirm.js';
import { tellDone } from '../../parts/problem.js';
import { RoleSelect } from '../../parts/role-select.js';
import { useWords } from '../../words/words.js';
import { USERS } from './words.js';

export type UserAct = 'changeRole' | 'disable' | 'newPassword' | 'remove';

/** Asks before a user is changed, and does it. */
export function ChangeUser({
  act,
  user,
  changed,
  close,
}: {
  readonly act: UserAct;
  readonly user: User;
  /** With a one-time password, where one was made. */
  readonly changed: (user: ChangedUser) => void;
  readonly close: () => void;
}) {
  const w = useWords(USERS);
  const { name, identity } = user;
  const [role, setRole] = useState<UserRole>(user.role);
  const [typed, setTyped] = useState('');
  const path = `/users/${segment(name)}`;
  const change = async (what: object): Promise<void> => {
    const after = await api.patch<ChangedUser>(path, what);
    await askAgain('/users');
    tellDone(w.done(name));
    changed(after);
  };
  switch (act) {
    case 'changeRole':
      return (
        <Confirm title={w.roleTitle(name)} act={w.changeRole} close={close} done={() => change({ role })}>
          <Stack>
            <RoleSelect value={role} change={setRole} />
            <Text size="sm">{w.roleAbout}</Text>
          </Stack>
        </Confirm>
      );
    case 'disable':
      return (
        <Confirm
          title={w.disableTitle(name)}
          act={w.disable}
          colour="red"
          close={close}
          done={() => change({ disabled: true })}
        >
          {w.disableAbout}
        </Confirm>
      );
    case 'newPassword':
      return (
        <Confirm
          title={w.passwordTitle(name)}
          act={w.newPassword}
          colour="red"
          close={close}
          done={() => change({ password: null })}
        >
          {w.passwordAbout}
        </Confirm>
      );
    case 'remove':
      return (
        <Confirm
          title={w.removeTitle(name)}
          act={w.remove}
          colour="red"
          close={close}
          ready={typed.trim() === name}
          done={async () => {
            await api.delete(path);
            await askAgain('/users');
            tellDone(w.removed(name));
          }}
        >
          <Stack gap="sm">
            <Text size="sm">{w.removeAbout}</Text>
            {identity !== null && <Text size="sm">{w.removeProvider}</Text>}
            <TextInput
              label={w.removeType(name)}
              autoComplete="off"
              data-autofocus
              value={typed}
              onChange={(input) => {
                setTyped(input.currentTarget.value);
              }}
            />
          </Stack>
        </Confirm>
      );
  }
}
