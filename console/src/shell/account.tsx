import { ActionIcon, Menu, Modal, Text } from '@mantine/core';
import { IconKeyboard, IconLogout, IconPassword, IconUserCircle } from '@tabler/icons-react';
import { useState } from 'react';
import { api } from '../api/client.js';
import { useSession } from '../api/session.js';
import { ROLES } from '../words/role-words.js';
import { SHOWN } from '../words/shown-words.js';
import { useWords } from '../words/words.js';
import { PasswordForm } from './password.js';
import { SHELL } from './shell-words.js';

/** Who one is here, and as what; one's own password, and the way out. */
export function Account({ help, signedOut }: { readonly help: () => void; readonly signedOut: () => void }) {
  const w = useWords(SHELL);
  const shown = useWords(SHOWN);
  const roles = useWords(ROLES);
  const { name, role } = useSession();
  const [password, setPassword] = useState(false);
  const leave = async (): Promise<void> => {
    await api.post('/logout').catch(() => undefined);
    signedOut();
  };
  return (
    <>
      <Menu position="bottom-end" width={220}>
        <Menu.Target>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={`${w.account}: ${name}, ${roles[role]}`}
          >
            <IconUserCircle size={20} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>
            <Text span size="sm" fw={600} c="var(--mantine-color-text)" style={{ overflowWrap: 'anywhere' }}>
              {name}
            </Text>
            <br />
            {roles[role]} · {roles[`${role}May`]}
          </Menu.Label>
          <Menu.Divider />
          <Menu.Item
            leftSection={<IconPassword size={16} />}
            onClick={() => {
              setPassword(true);
            }}
          >
            {w.changePassword}
          </Menu.Item>
          <Menu.Item leftSection={<IconKeyboard size={16} />} onClick={help}>
            {w.keys}
          </Menu.Item>
          <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void leave()}>
            {w.logout}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal
        opened={password}
        title={w.changePassword}
        closeButtonProps={{ 'aria-label': shown.close }}
        onClose={() => {
          setPassword(false);
        }}
      >
        <PasswordForm
          must={false}
          changed={() => {
            setPassword(false);
          }}
        />
      </Modal>
    </>
  );
}
