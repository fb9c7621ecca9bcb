import { Button, Card, Center, Group, Stack, Title } from '@mantine/core';
import { useEffect } from 'react';
import { api } from '../api/client.js';
import { useWords } from '../words/words.js';
import { Appearance } from './appearance.js';
import { Logo } from './logo.js';
import { PasswordForm } from './password.js';
import { SHELL } from './shell-words.js';

/** Whoever signed in with a one-time password chooses one of their own; nothing else is open before. */
export function FirstPassword({
  changed,
  signedOut,
}: {
  readonly changed: () => void;
  readonly signedOut: () => void;
}) {
  const w = useWords(SHELL);
  useEffect(() => {
    document.title = `${w.changePassword} · Aftersign`;
  }, [w]);
  const leave = async (): Promise<void> => {
    await api.post('/logout').catch(() => undefined);
    signedOut();
  };
  return (
    <Center mih="100dvh" p="md" component="main">
      <Stack w={400} maw="100%">
        <Group justify="space-between">
          <Logo />
          <Appearance />
        </Group>
        <Card withBorder padding="lg">
          <Title order={1} fz="h3" mb="xs">
            {w.changePassword}
          </Title>
          <PasswordForm must changed={changed} />
          <Button variant="subtle" color="gray" mt="xs" onClick={() => void leave()}>
            {w.logout}
          </Button>
        </Card>
      </Stack>
    </Center>
  );
}
