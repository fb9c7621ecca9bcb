import { ActionIcon, AppShell, Box, Burger, Drawer, Group, Loader, ScrollArea, Tooltip } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconKeyboard } from '@tabler/icons-react';
import { Suspense, useEffect, useEffectEvent, useRef } from 'react';
import { Route, Switch, useLocation } from 'wouter';
import { useMay } from '../api/session.js';
import { SHOWN } from '../words/shown-words.js';
import { useWords } from '../words/words.js';
import { Account } from './account.js';
import { Announcer } from './announcer.js';
import { Appearance } from './appearance.js';
import { Crash } from './crash.js';
import { Find } from './find.js';
import { KeyHelp, useKeys } from './keys.js';
import { Logo } from './logo.js';
import { MainMenu } from './main-menu.js';
import { NotFound } from './not-found.js';
import { MENU, OTHERS } from './pages.js';
import { SHELL } from './shell-words.js';
import { Standing } from './standing.js';
import { takeWay } from './way-back.js';
import './shell.css';

/** What stands around every page: the menu, finding, and who one is. On a phone the menu comes out at the side. */
export function Shell({ signedOut }: { readonly signedOut: () => void }) {
  const w = useWords(SHELL);
  const shown = useWords(SHOWN);
  const mayAdmin = useMay('admin');
  const [menu, { open: openMenu, close: closeMenu }] = useDisclosure();
  const [help, { open: openHelp, close: closeHelp }] = useDisclosure();
  const [path, go] = useLocation();
  const find = useRef<HTMLInputElement>(null);
  const goOn = useEffectEvent(() => {
    const way = takeWay();
    if (way !== null) go(way, { replace: true });
  });
  useEffect(() => {
    goOn();
  }, []);
  useKeys({ find: () => find.current?.focus(), help: openHelp });
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 208, breakpoint: 'sm', collapsed: { mobile: true } }}
      padding="md"
    >
      <a
        className="skip"
        href="#content"
        onClick={(click) => {
          // The address is relative to the console's base: following it would leave the page.
          click.preventDefault();
          document.getElementById('content')?.focus();
        }}
      >
        {w.skip}
      </a>
      <AppShell.Header>
        <Group h="100%" px={{ base: 'xs', sm: 'md' }} justify="space-between" wrap="nowrap" gap="sm">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={menu} onClick={openMenu} hiddenFrom="sm" size="sm" aria-label={w.menu} />
            <Box visibleFrom="xs">
              <Logo />
            </Box>
          </Group>
          <Find ref={find} />
          <Group gap="xs" wrap="nowrap">
            <Standing />
            <Box visibleFrom="sm">
              <Appearance />
            </Box>
            <Tooltip label={w.keys}>
              <ActionIcon
                variant="subtle"
                color="gray"
                size="lg"
                visibleFrom="sm"
                aria-label={w.keys}
                onClick={openHelp}
              >
                <IconKeyboard size={18} />
              </ActionIcon>
            </Tooltip>
            <Account help={openHelp} signedOut={signedOut} />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label={w.menu} visibleFrom="sm">
        <AppShell.Section grow component={ScrollArea}>
          <MainMenu />
        </AppShell.Section>
      </AppShell.Navbar>
      <Drawer
        opened={menu}
        onClose={closeMenu}
        size={260}
        hiddenFrom="sm"
        title={<Logo />}
        closeButtonProps={{ 'aria-label': shown.close }}
      >
        <nav aria-label={w.menu}>
          <MainMenu gone={closeMenu} />
        </nav>
        <Box mt="md">
          <Appearance />
        </Box>
      </Drawer>
      <AppShell.Main id="content" tabIndex={-1}>
        <Announcer />
        <Crash key={path}>
          <Suspense fallback={<Loader m="xl" aria-label={shown.loading} />}>
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
      {help && <KeyHelp close={closeHelp} />}
    </AppShell>
  );
}
