import { Alert, Stack, Table, Text, Title } from '@mantine/core';
import type { ReplayPreviewAnswer } from '../../api/types.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { CodeMark } from '../deliveries/code-mark.js';
import { useOutcomeWord } from './marks.js';
import { REPLAY_WORDS } from './words.js';

/** What would be sent, by rule and target, and what cannot be evaluated again. */
export function PreviewShown({
  preview: { asked, verdicts, skipped },
}: {
  readonly preview: Pick<ReplayPreviewAnswer, 'asked' | 'verdicts' | 'skipped'>;
}) {
  const w = useWords(REPLAY_WORDS);
  const shown = useWords(SHOWN);
  const word = useOutcomeWord();
  const others = verdicts.filter(({ verdict }) => verdict === 'unknown' || verdict === 'error');
  return (
    <Stack gap="xs">
      <Title order={3} fz="sm">
        {w.would}
      </Title>
      {asked.length === 0 ? (
        <Text fz="sm">{w.nothing}</Text>
      ) : (
        <Table.ScrollContainer minWidth={420}>
          <Table aria-label={w.would} fz="sm">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{w.count}</Table.Th>
                <Table.Th>{w.result}</Table.Th>
                <Table.Th>{shown.rule}</Table.Th>
                <Table.Th>{shown.target}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {asked.map((one, at) => (
                <Table.Tr key={at}>
                  <Table.Td>{one.count}</Table.Td>
                  <Table.Td>
                    {word('asked', one.outcome)}
                    {one.again && ` (${w.again})`}
                  </Table.Td>
                  <Table.Td className="anywhere">
                    {one.rule} · {one.action}
                  </Table.Td>
                  <Table.Td className="anywhere">
                    <bdi>{one.target ?? '–'}</bdi>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {(others.length > 0 || skipped.length > 0) && (
        <Alert color="gray" title={w.left}>
          {others.map(({ rule, verdict, count }) => (
            <Text key={`${rule} ${verdict}`} fz="sm">
              {count} × {rule}: {word('asked', verdict)}
            </Text>
          ))}
          {skipped.map(({ code, count }) => (
            <Text key={code} fz="sm" component="div">
              {count} × <CodeMark code={code} />
            </Text>
          ))}
        </Alert>
      )}
    </Stack>
  );
}
