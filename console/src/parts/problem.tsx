import { Alert, Button, Code, Group, List, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconAlertTriangle } from '@tabler/icons-react';
import { ApiProblem } from '../api/client.js';
import { problemWords } from '../words/problem-words.js';
import { SHOWN } from '../words/shown-words.js';
import { keptLanguage, useLanguage, useWords } from '../words/words.js';

/** What went wrong, with its stable code, and a way to try again. */
export function Problem({ error, retry }: { readonly error: unknown; readonly retry?: () => void }) {
  const w = useWords(SHOWN);
  const { language } = useLanguage();
  const problem = error instanceof ApiProblem ? error : null;
  return (
    <Alert
      color="red"
      icon={<IconAlertTriangle />}
      title={(problem && problemWords(problem.code, language)) ?? w.failed}
      role="alert"
    >
      <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
        {problem?.status === 0 ? w.noAnswer : error instanceof Error ? error.message : String(error)}
      </Text>
      {problem && problem.errors.length > 0 && (
        <List size="sm">
          {problem.errors.map(({ path, message }) => (
            <List.Item key={`${path} ${message}`}>
              <Code>{path}</Code> {message}
            </List.Item>
          ))}
        </List>
      )}
      <Group mt="xs" gap="sm">
        {problem && <Code>{problem.code}</Code>}
        {retry && (
          <Button size="compact-sm" variant="light" color="red" onClick={retry}>
            {w.retry}
          </Button>
        )}
      </Group>
    </Alert>
  );
}

/** Tells in a corner of the screen that something was done. */
export function tellDone(message: string): void {
  notifications.show({ message, color: 'teal' });
}

/** And that it was not. */
export function tellProblem(error: unknown): void {
  const code = error instanceof ApiProblem ? error.code : null;
  notifications.show({
    color: 'red',
    ...(code === null ? {} : { title: problemWords(code, keptLanguage()) ?? code }),
    message: error instanceof Error ? error.message : String(error),
    autoClose: 10_000,
  });
}
