import { Alert, Button, Group, Loader, Modal, Stack, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useState } from 'react';
import { api } from '../../api/client.js';
import { askAgain } from '../../api/queries.js';
import type { DrillAnswer, DrillBody } from '../../api/types.js';
import { Problem } from '../../parts/problem.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { DrillResults } from './drill-results.js';
import { TARGET_WORDS } from './words.js';

/** Tries one target, or all (null): up to the login at once, a real send only after one more question. */
export function DrillDialog({
  target,
  close,
}: {
  readonly target: string | null;
  readonly close: () => void;
}) {
  const w = useWords(TARGET_WORDS);
  const shown = useWords(SHOWN);
  const [stage, setStage] = useState<'choose' | 'sure' | 'under way'>('choose');
  const [answer, setAnswer] = useState<DrillAnswer | null>(null);
  const [error, setError] = useState<unknown>(null);

  const run = async (send: boolean): Promise<void> => {
    setStage('under way');
    setError(null);
    setAnswer(null);
    try {
      const body: DrillBody = { send, ...(target === null ? {} : { target }) };
      setAnswer(await api.post<DrillAnswer>('/targets/test', body));
      await askAgain('/targets');
    } catch (problem) {
      setError(problem);
    } finally {
      setStage('choose');
    }
  };

  return (
    <Modal
      opened
      onClose={close}
      size="lg"
      title={
        <Text fw={650} style={{ overflowWrap: 'anywhere' }}>
          {target === null ? w.testAllTitle : w.testOne(target)}
        </Text>
      }
      closeButtonProps={{ 'aria-label': shown.close }}
    >
      <Stack>
        {stage === 'under way' ? (
          <Group role="status">
            <Loader size="sm" aria-hidden />
            <Text size="sm">{w.testing}</Text>
          </Group>
        ) : stage === 'sure' ? (
          <Alert
            color="orange"
            icon={<IconAlertTriangle />}
            title={w.realTitle}
            styles={{ title: { color: 'var(--mantine-color-text)' } }}
          >
            <Text size="sm">{target === null ? w.realAll : w.realOne}</Text>
            <Group mt="sm" justify="flex-end">
              <Button
                variant="default"
                onClick={() => {
                  setStage('choose');
                }}
              >
                {w.back}
              </Button>
              <Button color="red" data-autofocus onClick={() => void run(true)}>
                {w.sendNow}
              </Button>
            </Group>
          </Alert>
        ) : (
          <>
            {answer === null && error === null && <Text size="sm">{w.testAbout}</Text>}
            <Group>
              <Button onClick={() => void run(false)} data-autofocus>
                {w.connectOnly}
              </Button>
              <Button
                variant="default"
                onClick={() => {
                  setStage('sure');
                }}
              >
                {w.sendReal}
              </Button>
            </Group>
          </>
        )}
        {error !== null && <Problem error={error} />}
        {answer && <DrillResults answer={answer} />}
      </Stack>
    </Modal>
  );
}
