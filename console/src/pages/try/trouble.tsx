import { Alert, Code, List, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { ApiProblem } from '../../api/client.js';
import { Problem } from '../../parts/problem.js';
import { useWords } from '../../words/words.js';
import { TRY_WORDS } from './words.js';

/** Why it could not be tried, and what is to be done. */
export function Trouble({ error, retry }: { readonly error: unknown; readonly retry: () => void }) {
  const w = useWords(TRY_WORDS);
  const code = error instanceof ApiProblem ? error.code : '';
  const known: Readonly<Record<string, readonly [title: string, advice: string]>> = {
    BUSY: [w.busyTitle, w.busy],
    TRIAL_TOO_LONG: [w.tooLongTitle, w.tooLong],
    TRIAL_TOO_LARGE: [w.tooLargeTitle, w.tooLong],
    RULE_SET_UNKNOWN: [w.noLiveTitle, w.noLive],
    EVENT_UNKNOWN: [w.eventGoneTitle, w.eventGone],
    EVENT_AMBIGUOUS: [w.ambiguousTitle, w.ambiguous],
    BODY_TOO_LARGE: [w.tooBigTitle, w.tooBig],
    FORBIDDEN: [w.forbiddenTitle, w.forbidden],
    REQUEST_INVALID: [w.invalidTitle, w.invalid],
  };
  const told = Object.hasOwn(known, code) ? known[code] : undefined;
  if (!told || !(error instanceof ApiProblem)) return <Problem error={error} retry={retry} />;
  const [title, advice] = told;
  return (
    <Alert color="orange" icon={<IconAlertTriangle />} title={title} role="alert">
      <Text size="sm">{advice}</Text>
      <Text size="sm" mt={4} style={{ overflowWrap: 'anywhere' }}>
        <Code>{error.code}</Code> {error.message}
      </Text>
      {error.errors.length > 0 && (
        <List size="sm" mt={4}>
          {error.errors.map(({ path, message }) => (
            <List.Item key={`${path} ${message}`}>
              <Code>{path}</Code> {message}
            </List.Item>
          ))}
        </List>
      )}
    </Alert>
  );
}
