import { Anchor, Stack, Text } from '@mantine/core';
import { Link } from 'wouter';
import { useWords } from '../words/words.js';
import { SHELL } from './shell-words.js';

export function NotFound() {
  const w = useWords(SHELL);
  return (
    <Stack align="center" py="xl">
      <Text>{w.notFound}</Text>
      <Anchor component={Link} href="/">
        {w.toStart}
      </Anchor>
    </Stack>
  );
}
