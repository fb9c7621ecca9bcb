import { Center, createTheme, type CSSVariablesResolver, Loader, MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { Activity, useEffect, useEffectEvent, useState } from 'react';
import { Router } from 'wouter';
import { api, ApiProblem, setCsrf, whenLoggedOut, whenOtherSession } from './api/client.js';
import { queryClient } from './api/queries.js';
import { SessionContext } from './api/session.js';
import type { Session } from './api/types.js';
import { Problem } from './parts/problem.js';
import { Login } from './shell/login.js';
import { FirstPassword } from './shell/first-password.js';
import { Shell } from './shell/shell.js';
import { LanguageProvider } from './words/words.js';

const SANS =
  'Inter, -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", "Source Han Sans SC", sans-serif';

const theme = createTheme({
  primaryColor: 'teal',
  // Links and filled buttons need a contrast of 4.5 to their ground.
  primaryShade: 9,
  autoContrast: true,
  fontFamily: SANS,
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Noto Sans Mono CJK SC", monospace',
  headings: { fontFamily: SANS, fontWeight: '650' },
  defaultRadius: 'sm',
  respectReducedMotion: true,
});

/** The texts on tinted grounds of each colour, a third darker than Mantine has them. */
const ON_TINTED = {
  red: '#8d1d1d',
  orange: '#98320b',
  yellow: '#a15300',
  lime: '#406809',
  green: '#1e612b',
  teal: '#065940',
  cyan: '#08505d',
  blue: '#114678',
  indigo: '#26378b',
  violet: '#432b89',
  grape: '#5e206d',
  pink: '#741536',
};

/** Mantine's dimmed and tinted texts are too faint to be read by everybody: 4.5 to 1 at least. */
const readable: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': 'var(--mantine-color-gray-7)',
    '--mantine-color-error': 'var(--mantine-color-red-9)',
    ...Object.fromEntries(
      Object.entries(ON_TINTED).map(([name, colour]) => [`--mantine-color-${name}-light-color`, colour]),
    ),
  },
  dark: { '--mantine-color-dimmed': 'var(--mantine-color-dark-1)' },
});

/** The nonce of the page, without which the browser refuses styles that are added later. */
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
// The lock of scrolling behind dialogs looks for it there.
Object.assign(globalThis, { __webpack_nonce__: nonce });

const base = new URL(document.baseURI).pathname.replace(/\/$/, '');

export function App() {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={readable}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
    >
      <LanguageProvider>
        <QueryClientProvider client={queryClient}>
          <Notifications position="bottom-right" />
          <Router base={base}>
            <Door />
          </Router>
        </QueryClientProvider>
      </LanguageProvider>
    </MantineProvider>
  );
}

/** Of whom a session is: of somebody else, or of another role, nothing that is open stays. */
const whose = (session: Session): string => `${session.name} ${session.role}`;

/**
 * Signing in, and behind it everything else. When a session ends in the middle, what is open waits, hidden and without
 * asking anything, and goes on where it was as soon as the same person has signed in again.
 */
function Door() {
  const [session, setSession] = useState<Session | 'asked' | null>('asked');
  const [before, setBefore] = useState<Session | null>(null);
  const [error, setError] = useState<unknown>(null);
  const enter = (next: Session | null): void => {
    setCsrf(next?.csrf ?? null);
    setSession(next);
    if (!next) return;
    if (before && whose(before) !== whose(next)) queryClient.clear();
    else void queryClient.invalidateQueries();
    setBefore(next.mustChangePassword ? null : next);
  };
  const leave = (): void => {
    enter(null);
    setBefore(null);
    queryClient.clear();
  };
  const look = async (): Promise<void> => {
    setError(null);
    try {
      enter(await api.get<Session>('/session'));
    } catch (problem) {
      if (problem instanceof ApiProblem && problem.status === 401) enter(null);
      else setError(problem);
    }
  };
  const lookAgain = useEffectEvent(() => void look());
  useEffect(() => {
    whenLoggedOut(() => {
      setCsrf(null);
      setSession(null);
    });
    whenOtherSession(lookAgain);
    lookAgain();
  }, []);
  const open = session !== null && session !== 'asked' && !session.mustChangePassword;
  // Dialogs of what waits stand outside of it.
  useEffect(() => {
    document.documentElement.toggleAttribute('data-waiting', before !== null && !open);
  }, [before, open]);
  return (
    <>
      {before && (
        <Activity mode={open ? 'visible' : 'hidden'}>
          <SessionContext key={whose(before)} value={before}>
            <Shell signedOut={leave} />
          </SessionContext>
        </Activity>
      )}
      {error !== null && !open ? (
        <Center mih="100dvh" component="main">
          <Problem error={error} retry={() => void look()} />
        </Center>
      ) : session === 'asked' ? (
        <Center mih="100dvh" component="main">
          <Loader aria-label="…" />
        </Center>
      ) : session === null ? (
        <Login signedIn={enter} ended={before !== null} />
      ) : (
        session.mustChangePassword && <FirstPassword changed={() => void look()} signedOut={leave} />
      )}
    </>
  );
}
