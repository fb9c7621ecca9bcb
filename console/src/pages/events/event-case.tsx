import { Alert, Button, Code, Group, List, Modal, Select, Skeleton, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconDownload } from '@tabler/icons-react';
import { useState } from 'react';
import { useAnswer } from '../../api/queries.js';
import type { EventCaseAnswer, EventDetail } from '../../api/types.js';
import { Editor } from '../../parts/lazy.js';
import { Problem } from '../../parts/problem.js';
import { Copy } from '../../parts/texts.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { textOf } from './values.js';
import { EVENTS } from './words.js';

/** A rule test made of the event, to be put beside the rule in git. */
export function EventCase({ event, close }: { readonly event: EventDetail; readonly close: () => void }) {
  const w = useWords(EVENTS);
  const shown = useWords(SHOWN);
  const rules = [...new Set(event.verdicts.map((one) => one.rule))].sort();
  const [rule, setRule] = useState<string | null>(
    event.verdicts.find(({ verdict }) => verdict === 'matched')?.rule ?? null,
  );
  const { data, error, refetch } = useAnswer<EventCaseAnswer>(`/events/${event.id}/case`, { rule });
  const text = data ? `${JSON.stringify(data.document, null, 2)}\n` : '';
  const file = `${rule ?? rules[0] ?? 'event'}.cases.json`;
  return (
    <Modal
      opened
      onClose={close}
      title={w.caseTitle}
      size="xl"
      closeButtonProps={{ 'aria-label': shown.close }}
    >
      <Stack>
        <Text size="sm" className="quiet">
          {w.caseAbout}
        </Text>
        <Select
          label={w.caseRule}
          placeholder={w.caseAnyRule}
          data={rules}
          value={rule}
          clearable
          searchable
          onChange={setRule}
        />
        {error !== null ? (
          <Problem error={error} retry={() => void refetch()} />
        ) : data === undefined ? (
          <Skeleton height={360} aria-label={shown.loading} />
        ) : (
          <>
            <Outcome answer={data} />
            <Editor text={text} label={w.caseTitle} maxHeight={380} />
            <Group justify="space-between">
              <Text size="sm" className="quiet anywhere">
                {w.caseInto} <Code>{file}</Code>
              </Text>
              <Group gap="xs">
                <Copy text={text} />
                <Button
                  variant="default"
                  leftSection={<IconDownload size={14} />}
                  onClick={() => {
                    download(file, text);
                  }}
                >
                  {shown.download}
                </Button>
              </Group>
            </Group>
          </>
        )}
      </Stack>
    </Modal>
  );
}

/** Whether the case says what happened: on the rule set that decided, and on today's. */
function Outcome({ answer }: { readonly answer: EventCaseAnswer }) {
  const w = useWords(EVENTS);
  const { passed, failures, today, notes } = answer;
  return (
    <>
      <Said good={passed} text={passed ? w.casePassed : w.caseFailed} failures={failures} />
      {today === null ? (
        <Text size="sm" className="quiet">
          {w.todaySame}
        </Text>
      ) : (
        <Said
          good={today.passed}
          text={today.passed ? w.todayPassed : w.todayFailed}
          failures={today.failures}
        />
      )}
      {notes.length > 0 && (
        <List size="sm">
          {notes.map((note) => (
            <List.Item key={note}>{note}</List.Item>
          ))}
        </List>
      )}
    </>
  );
}

function Said({
  good,
  text,
  failures,
}: {
  readonly good: boolean;
  readonly text: string;
  readonly failures: EventCaseAnswer['failures'];
}) {
  const w = useWords(EVENTS);
  return (
    <Alert
      color={good ? 'teal' : 'orange'}
      icon={good ? <IconCheck size={18} /> : <IconAlertTriangle size={18} />}
      title={text}
      p="xs"
    >
      {failures.length > 0 && (
        <List size="sm" style={{ overflowWrap: 'anywhere' }}>
          {failures.map((failure, at) => (
            <List.Item key={at}>
              {w[`failure ${failure.kind}`]}: <Code>{aboutOf(failure)}</Code>
            </List.Item>
          ))}
        </List>
      )}
    </Alert>
  );
}

/** What a failure is about, in the words of the case. */
function aboutOf(failure: EventCaseAnswer['failures'][number]): string {
  switch (failure.kind) {
    case 'missing':
      return textOf(failure.expected);
    case 'unexpected':
      return `${failure.delivery.rule} / ${failure.delivery.action}`;
    case 'verdict':
      return `${failure.rule}: ${textOf(failure.actual?.verdict ?? null)}`;
    case 'broken':
      return failure.message;
  }
}

function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
