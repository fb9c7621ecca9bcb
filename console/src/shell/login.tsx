import {
  Alert,
  Box,
  Button,
  Card,
  Center,
  Divider,
  Group,
  PasswordInput,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { useEffect, useState } from 'react';
import { api, ApiProblem, urlOf } from '../api/client.js';
import { useAnswer } from '../api/queries.js';
import type { LoginWays, Session } from '../api/types.js';
import { Problem } from '../parts/problem.js';
import { problemWords } from '../words/problem-words.js';
import { useLanguage, useWords } from '../words/words.js';
import { Appearance } from './appearance.js';
import { Logo } from './logo.js';
import { SHELL } from './shell-words.js';
import { forgetRefusal, refusalOfProvider, rememberWay } from './way-back.js';

/** Signing in. Where one was going stays in the address. */
export function Login({
  signedIn,
  ended,
}: {
  readonly signedIn: (session: Session) => void;
  /** A session was open here, and is over. */
  readonly ended: boolean;
}) {
  const w = useWords(SHELL);
  const ways = useAnswer<LoginWays>('/login/ways');
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [refusal] = useState(refusalOfProvider);
  const { language } = useLanguage();
  useEffect(() => {
    document.title = `${w.signIn} · Aftersign`;
  }, [w]);
  useEffect(forgetRefusal, []);
  const signIn = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      signedIn(await api.post<Session>('/login', { name, password }));
    } catch (problem) {
      setError(problem);
      setPassword('');
    } finally {
      setBusy(false);
    }
  };
  const wrong = error instanceof ApiProblem && error.status === 401;
  return (
    <Center mih="100dvh" p="md" component="main">
      <Stack w={360} maw="100%">
        <Group justify="space-between">
          <Logo />
          <Appearance />
        </Group>
        <Card withBorder padding="lg">
          <form
            onSubmit={(submit) => {
              submit.preventDefault();
              void signIn();
            }}
          >
            <Stack>
              <Box>
                <Text component="h1" fz="h3" fw={600}>
                  {w.signIn}
                </Text>
                <Text c="dimmed" size="sm">
                  {w.claim}
                </Text>
              </Box>
              {ended && error === null && (
                <Alert color="blue" role="status">
                  {w.ended}
                </Alert>
              )}
              {refusal !== null && error === null && (
                <Alert color="red" role="alert" title={w.refused}>
                  {problemWords(refusal, language) ?? w.refusedAbout}
                </Alert>
              )}
              <TextInput
                label={w.name}
                autoComplete="username"
                autoFocus
                required
                value={name}
                onChange={(change) => {
                  setName(change.currentTarget.value);
                }}
              />
              <PasswordInput
                label={w.password}
                autoComplete="current-password"
                required
                value={password}
                onChange={(change) => {
                  setPassword(change.currentTarget.value);
                }}
              />
              {wrong ? (
                <Alert color="red" role="alert">
                  {w.wrongLogin}
                </Alert>
              ) : (
                error !== null && <Problem error={error} />
              )}
              <Button type="submit" loading={busy}>
                {w.signIn}
              </Button>
              {ways.data?.oidc && (
                <>
                  <Divider />
                  <Button component="a" variant="default" href={urlOf('/login/oidc')} onClick={rememberWay}>
                    {w.signInOidc} {new URL(ways.data.oidc.issuer).host}
                  </Button>
                </>
              )}
            </Stack>
          </form>
        </Card>
      </Stack>
    </Center>
  );
}
