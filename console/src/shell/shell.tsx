import {
  ActionIcon,
  AppShell,
  Box,
  Burger,
  Group,
  Loader,
  Menu,
  Modal,
  NavLink,
  ScrollArea,
  TextInput,
  Tooltip,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconKeyboard, IconSearch, IconUserCircle } from '@tabler/icons-react';
import { Suspense, useRef, useState } from 'react';
import { Link, Route, Switch, useLocation } from 'wouter';
import { api } from '../api/client.js';
import { queryClient } from '../api/queries.js';
import { useMay, useSession } from '../api/session.js';
import { useChanges } from '../api/stream.js';
import { useWords } from '../words/words.js';
import { Appearance } from './appearance.js';
import { Crash } from './crash.js';
import { KeyHelp, useKeys } from './keys.js';
import { Logo } from './logo.js';
import { MENU, NAMES, OTHERS } from './pages.js';
import { PasswordForm } from './password.js';
import { SHELL } from './shell-words.js';
import { NotFound } from './not-found.js';
import './shell.css';

/** What stands around every page: the menu, finding, and who one is. */
export function Shell({ signedOut }: { readonly signedOut: () => void }) {
  const w = useWords(SHELL);
  const names = useWords(NAMES);
  const session = useSession();
  const mayAdmin = useMay('admin');
  const [opened, { toggle, close }] = useDisclosure();
  const [password, setPassword] = useState(false);
  const [help, setHelp] = useState(false);
  const [path, go] = useLocation();
  const find = useRef<HTMLInputElement>(null);
  useKeys({
    find: () => find.current?.focus(),
    help: () => {
      setHelp(true);
    },
  });
  const leave = async (): Promise<void> => {
    await api.post('/logout').catch(() => undefined);
    queryClient.clear();
    signedOut();
  };
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 208, breakpoint: 'sm', collapsed: { mobile: !opened } }}
      padding="md"
    >
      <a className="skip" href="#content">
        {w.skip}
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap" gap="sm">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={w.menu} />
            <Box visibleFrom="xs">
              <Logo />
            </Box>
          </Group>
          <form
            role="search"
            className="find"
            onSubmit={(submit) => {
              submit.preventDefault();
              const text = find.current?.value.trim() ?? '';
              if (text === '') return;
              find.current?.blur();
              go(
                text.startsWith('process:')
                  ? `/processes/${encodeURIComponent(text)}`
                  : `/events?text=${encodeURIComponent(text)}`,
              );
            }}
          >
            <TextInput
              ref={find}
              size="xs"
              aria-label={w.findLabel}
              placeholder={w.find}
              leftSection={<IconSearch size={14} />}
              maxLength={500}
            />
          </form>
          <Group gap="xs" wrap="nowrap">
            <Standing />
            <Box visibleFrom="sm">
              <Appearance />
            </Box>
            <Tooltip label={w.keys}>
              <ActionIcon
                variant="subtle"
                color="gray"
                visibleFrom="sm"
                aria-label={w.keys}
                onClick={() => {
                  setHelp(true);
                }}
              >
                <IconKeyboard size={18} />
              </ActionIcon>
            </Tooltip>
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon variant="subtle" color="gray" aria-label={w.account}>
                  <IconUserCircle size={20} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Label>
                  {session.name} · {session.role}
                </Menu.Label>
                <Menu.Item
                  onClick={() => {
                    setPassword(true);
                  }}
                >
                  {w.changePassword}
                </Menu.Item>
                <Menu.Item
                  onClick={() => {
                    void leave();
                  }}
                >
                  {w.logout}
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label={w.menu}>
        <AppShell.Section grow component={ScrollArea}>
          {MENU.filter(({ least }) => least !== 'admin' || mayAdmin).map(({ path: to, name, icon: Icon }) => (
            <NavLink
              key={to}
              component={Link}
              href={to}
              label={names[name]}
              leftSection={<Icon size={18} />}
              active={to === '/' ? path === '/' : path === to || path.startsWith(`${to}/`)}
              onClick={close}
            />
          ))}
        </AppShell.Section>
        <AppShell.Section hiddenFrom="sm" p="xs">
          <Appearance />
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <Crash key={path}>
          <Suspense fallback={<Loader m="xl" aria-label="…" />}>
            <Switch>
              {[...MENU.filter(({ least }) => least !== 'admin' || mayAdmin), ...OTHERS].map(
                ({ path: to, page: Page }) => (
                  <Route key={to} path={to}>
                    <Page />
                  </Route>
                ),
              )}
              <Route>
                <NotFound />
              </Route>
            </Switch>
          </Suspense>
        </Crash>
      </AppShell.Main>
      {help && (
        <KeyHelp
          close={() => {
            setHelp(false);
          }}
        />
      )}
      <Modal
        opened={password}
        title={w.changePassword}
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
    </AppShell>
  );
}

/** Whether changes are heard while they happen. */
function Standing() {
  const w = useWords(SHELL);
  const [standing, setStanding] = useState(false);
  useChanges('standing', setStanding);
  const text = standing ? w.live : w.notLive;
  return (
    <Tooltip label={text}>
      <Box className="standing" data-standing={standing} role="status" aria-label={text} />
    </Tooltip>
  );
}
