import { Card, Center, createTheme, Loader, MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { Router } from 'wouter';
import { api, ApiProblem, setCsrf, whenLoggedOut } from './api/client.js';
import { queryClient } from './api/queries.js';
import { SessionContext } from './api/session.js';
import type { Session } from './api/types.js';
import { Problem } from './parts/problem.js';
import { Login } from './shell/login.js';
import { PasswordForm } from './shell/password.js';
import { Shell } from './shell/shell.js';
import { LanguageProvider } from './words/words.js';

const SANS =
  'Inter, -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", "Source Han Sans SC", sans-serif';

const theme = createTheme({
  primaryColor: 'teal',
  primaryShade: { light: 8, dark: 7 },
  autoContrast: true,
  fontFamily: SANS,
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Noto Sans Mono CJK SC", monospace',
  headings: { fontFamily: SANS, fontWeight: '650' },
  defaultRadius: 'sm',
});

/** The nonce of the page, without which the browser refuses styles that are added later. */
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';

const base = new URL(document.baseURI).pathname.replace(/\/$/, '');

export function App() {
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce}>
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

/** Signing in, and behind it everything else. */
function Door() {
  const [session, setSession] = useState<Session | 'asked' | null>('asked');
  const [error, setError] = useState<unknown>(null);
  const enter = (next: Session | null): void => {
    setCsrf(next?.csrf ?? null);
    setSession(next);
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
  useEffect(() => {
    whenLoggedOut(() => {
      queryClient.clear();
      enter(null);
    });
    void look();
  }, []);
  if (error !== null)
    return (
      <Center mih="100dvh" component="main">
        <Problem error={error} retry={() => void look()} />
      </Center>
    );
  if (session === 'asked')
    return (
      <Center mih="100dvh" component="main">
        <Loader aria-label="…" />
      </Center>
    );
  if (session === null) return <Login signedIn={enter} />;
  if (session.mustChangePassword)
    return (
      <Center mih="100dvh" p="md" component="main">
        <Card withBorder w={400} maw="100%">
          <PasswordForm must changed={() => void look()} />
        </Card>
      </Center>
    );
  return (
    <SessionContext value={session}>
      <Shell
        signedOut={() => {
          enter(null);
        }}
      />
    </SessionContext>
  );
}
