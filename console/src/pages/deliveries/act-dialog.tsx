import { Button, Group, List, Modal, Progress, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import { ApiProblem } from '../../api/client.js';
import { Problem, tellDone } from '../../parts/problem.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { type Act, ACT_WORD, actOnOne, askDeliveriesAgain, type How, isTaking } from './acts.js';
import { CodeMark } from './code-mark.js';
import { HowFields } from './how-fields.js';
import { DELIVERIES } from './words.js';

/** What became of deliveries that were acted on one by one. */
interface Outcome {
  readonly done: number;
  readonly failed: readonly { readonly id: string; readonly code: string; readonly detail: string }[];
}

/**
 * Asks about an act on deliveries that were chosen, and does it one by one. Of one it tells what the service says then;
 * of several what worked and what did not.
 */
export function ActDialog({
  act,
  ids,
  close,
  then,
}: {
  readonly act: Act;
  readonly ids: readonly string[];
  readonly close: () => void;
  /** After a single one: the id of the delivery to look at. */
  readonly then?: (id: string) => void;
}) {
  const w = useWords(DELIVERIES);
  const shown = useWords(SHOWN);
  const word = shown[ACT_WORD[act]];
  const [how, setHow] = useState<How>({ reason: '', edited: false });
  const [at, setAt] = useState<number | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const said = { ...how, reason: how.reason.trim() };
  const single = ids.length === 1 ? ids[0] : undefined;

  const run = async (): Promise<void> => {
    setError(null);
    setAt(0);
    const failed: Outcome['failed'][number][] = [];
    let last: string | null = null;
    try {
      for (const [index, id] of ids.entries()) {
        try {
          last = (await actOnOne(id, act, said)).id;
        } catch (problem) {
          // What this one cannot do the next one may; what none can ends it.
          if (
            single !== undefined ||
            !(problem instanceof ApiProblem) ||
            ![404, 409].includes(problem.status)
          )
            throw problem;
          failed.push({ id, code: problem.code, detail: problem.message });
        }
        setAt(index + 1);
      }
      if (failed.length === 0) {
        tellDone(single === undefined ? w.someDone(ids.length, ids.length) : w.oneDone(word));
        close();
        if (single !== undefined && last !== null) then?.(last);
      } else setOutcome({ done: ids.length - failed.length, failed });
    } catch (problem) {
      setError(problem);
    } finally {
      setAt(null);
      await askDeliveriesAgain();
    }
  };

  return (
    <Modal
      opened
      centered
      title={ids.length === 1 ? word : `${word} · ${ids.length}`}
      onClose={() => {
        if (at === null) close();
      }}
      closeButtonProps={{ 'aria-label': shown.close }}
    >
      {outcome ? (
        <Stack role="status">
          <Text size="sm">{w.someDone(outcome.done, ids.length)}</Text>
          <Text size="sm">{w.notDone}</Text>
          <List size="sm" spacing={6}>
            {outcome.failed.slice(0, 10).map(({ id, code, detail }) => (
              <List.Item key={id}>
                <CodeMark code={code} />
                <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
                  {detail}
                </Text>
              </List.Item>
            ))}
            {outcome.failed.length > 10 && <List.Item>… +{outcome.failed.length - 10}</List.Item>}
          </List>
          <Group justify="flex-end">
            <Button onClick={close}>{shown.close}</Button>
          </Group>
        </Stack>
      ) : (
        <form
          onSubmit={(submit) => {
            submit.preventDefault();
            void run();
          }}
        >
          <Stack>
            <HowFields act={act} how={how} set={setHow} />
            {at !== null && single === undefined && (
              <Progress value={(at / ids.length) * 100} aria-label={word} />
            )}
            {error !== null && <Problem error={error} />}
            <Group justify="flex-end">
              <Button variant="default" onClick={close} disabled={at !== null}>
                {shown.close}
              </Button>
              <Button
                type="submit"
                color={isTaking(act) ? 'red' : 'teal'}
                loading={at !== null}
                disabled={act === 'discard' && said.reason === ''}
              >
                {ids.length === 1 ? word : w.bulkDo(word, String(ids.length))}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Modal>
  );
}
