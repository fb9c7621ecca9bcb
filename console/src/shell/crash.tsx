import { Alert, Button, Stack, Text } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { Component, type ReactNode } from 'react';
import { Problem } from '../parts/problem.js';
import { useWords } from '../words/words.js';
import { SHELL } from './shell-words.js';

/** What browsers say when a part of the console cannot be fetched: its name changes with each build. */
const NOT_FETCHED = /dynamically imported module|importing a module script|preload CSS/i;

/** A page that cannot be shown takes nothing else with it. */
export class Crash extends Component<{ readonly children: ReactNode }, { readonly error: unknown }> {
  override state: { readonly error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    if (error instanceof Error && NOT_FETCHED.test(error.message)) return <Outdated />;
    return (
      <Problem
        error={error}
        retry={() => {
          this.setState({ error: null });
        }}
      />
    );
  }
}

/** The service was updated while this tab was open. */
function Outdated() {
  const w = useWords(SHELL);
  return (
    <Alert color="blue" icon={<IconRefresh />} title={w.outdated} role="alert">
      <Stack align="flex-start" gap="xs">
        <Text size="sm">{w.outdatedAbout}</Text>
        <Button
          size="xs"
          onClick={() => {
            location.reload();
          }}
        >
          {w.reload}
        </Button>
      </Stack>
    </Alert>
  );
}
