import { Box, Card, Center, Code, Group, Skeleton, Stack, Text } from '@mantine/core';
import { useAnswer } from '../../api/queries.js';
import type { Findings } from '../../api/types.js';
import { RuleLink } from '../../parts/links.js';
import { SeverityMark } from '../../parts/marks.js';
import { Problem } from '../../parts/problem.js';
import { useLanguage, useWords } from '../../words/words.js';
import { ATTENTION_WORDS } from './words.js';

type Finding = Findings['findings'][number];

const SEVERITIES: readonly Finding['severity'][] = ['error', 'warning', 'info'];

/** What is wrong in the rule files, errors first, each with its mend. */
export function FindingsPart() {
  const w = useWords(ATTENTION_WORDS);
  const { data, error, refetch } = useAnswer<Findings>('/findings', {}, { every: 10_000 });
  if (!data)
    return error ? <Problem error={error} retry={() => void refetch()} /> : <Skeleton height={160} />;
  if (!data.checked || data.findings.length === 0)
    return (
      <Center py="xl">
        <Text c="dimmed">{data.checked ? w.findingsNone : w.notChecked}</Text>
      </Center>
    );
  const findings = [...data.findings].sort(
    (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity),
  );
  return (
    <Stack gap="sm" component="ul" m={0} p={0} style={{ listStyle: 'none' }}>
      {findings.map((one, index) => (
        <li key={index}>
          <OneFinding finding={one} />
        </li>
      ))}
    </Stack>
  );
}

function OneFinding({ finding }: { readonly finding: Finding }) {
  const w = useWords(ATTENTION_WORDS);
  const { language } = useLanguage();
  const { severity, file, line, column, rule, code, message, mend, sentence } = finding;
  return (
    <Card withBorder padding="sm" style={{ overflowWrap: 'anywhere' }}>
      <Group gap="xs" mb={4}>
        <SeverityMark severity={severity} />
        <Code>
          {file}:{line}:{column}
        </Code>
        {rule !== undefined && (
          <Text span size="sm">
            <RuleLink name={rule} />
          </Text>
        )}
        <Text span size="xs" c="dimmed" ff="monospace">
          {code}
        </Text>
      </Group>
      <Text size="sm" fw={500}>
        {message}
      </Text>
      <Text size="sm">
        <Text span inherit c="dimmed">
          {w.mend}:
        </Text>{' '}
        {mend}
      </Text>
      {sentence && (
        <Box mt={6} pl="sm" style={{ borderLeft: '3px solid var(--mantine-color-default-border)' }}>
          <Text size="xs" c="dimmed">
            {w.sentence}
          </Text>
          <Text size="sm" lineClamp={4} style={{ whiteSpace: 'pre-line' }}>
            {sentence[language]}
          </Text>
        </Box>
      )}
    </Card>
  );
}
