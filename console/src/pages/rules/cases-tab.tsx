import {
  Alert,
  Box,
  Button,
  Code,
  Group,
  RingProgress,
  Skeleton,
  Stack,
  Text,
  ThemeIcon,
} from '@mantine/core';
import { IconCheck, IconX } from '@tabler/icons-react';
import { Link } from 'wouter';
import { segment } from '../../api/client.js';
import { useAnswer } from '../../api/queries.js';
import type { RuleAnswer, RuleCases } from '../../api/types.js';
import { shownDuration } from '../../parts/moment.js';
import { Problem } from '../../parts/problem.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { Section } from './sentence-tab.js';
import { RULES_WORDS } from './words.js';

/** The rule's tests, run now, and what they leave out. */
export function CasesTab({ rule }: { readonly rule: RuleAnswer }) {
  const w = useWords(RULES_WORDS);
  const shown = useWords(SHOWN);
  const { data, error, refetch, isPending } = useAnswer<RuleCases>(`/rules/${segment(rule.name)}/cases`);
  if (error) return <Problem error={error} retry={() => void refetch()} />;
  if (isPending)
    return (
      <Stack aria-busy="true" aria-label={shown.loading}>
        <Skeleton height={140} />
        <Skeleton height={220} />
      </Stack>
    );
  const { cases, coverage } = data;
  const files = [...new Set(cases.map(({ file }) => file))];
  if (cases.length === 0)
    return (
      <Alert color="gray" title={w.noCases}>
        <Text size="sm">{w.noCasesAbout}</Text>
        <Button
          component={Link}
          href={`/events?type=${segment(rule.trigger[0] ?? '')}`}
          variant="default"
          size="xs"
          mt="sm"
        >
          {w.openEvents}
        </Button>
      </Alert>
    );
  const passed = cases.filter(({ ok }) => ok).length;
  return (
    <Stack>
      {coverage && <Coverage coverage={coverage} />}
      <Section title={w.casesSum(passed, cases.length)}>
        <Text fz="sm" c="dimmed" mb="sm" style={{ overflowWrap: 'anywhere' }}>
          {w.casesOf} <Code>{files.join(', ')}</Code>
        </Text>
        <Stack gap="sm" component="ul" m={0} p={0} style={{ listStyle: 'none' }}>
          {cases.map(({ name, file, ok, failures, line, ms }, at) => (
            <Group component="li" key={at} gap="sm" wrap="nowrap" align="flex-start">
              <ThemeIcon
                color={ok ? 'teal' : 'red'}
                variant={ok ? 'light' : 'filled'}
                size="sm"
                radius="xl"
                role="img"
                aria-label={ok ? w.passed : w.failed}
              >
                {ok ? <IconCheck size={14} /> : <IconX size={14} />}
              </ThemeIcon>
              <Box miw={0} style={{ overflowWrap: 'anywhere' }}>
                <Text fz="sm">
                  {name}{' '}
                  <Text span c="dimmed" fz="xs">
                    {files.length > 1 && `${file} `}
                    {w.line(line)} · {shownDuration(ms)}
                  </Text>
                </Text>
                {failures.map((failure, number) => (
                  <Text key={number} fz="sm" ff="monospace" style={{ whiteSpace: 'pre-wrap' }}>
                    {failure}
                  </Text>
                ))}
              </Box>
            </Group>
          ))}
        </Stack>
      </Section>
    </Stack>
  );
}

function Coverage({ coverage }: { readonly coverage: NonNullable<RuleCases['coverage']> }) {
  const w = useWords(RULES_WORDS);
  const { percent, points, unseen } = coverage;
  const shownPercent = Math.floor(percent);
  return (
    <Section title={w.coverage}>
      <Group gap="lg" align="flex-start" wrap="wrap">
        <RingProgress
          size={96}
          thickness={9}
          roundCaps
          aria-label={`${w.coverage} ${shownPercent} %`}
          sections={[{ value: percent, color: percent === 100 ? 'teal' : 'orange' }]}
          label={
            <Text ta="center" fw={650} fz="sm">
              {shownPercent} %
            </Text>
          }
        />
        <Box style={{ flex: '1 1 18rem' }} miw={0}>
          <Text fz="sm">{w.coverageAbout(points.seen, points.all)}</Text>
          <Text fz="sm" fw={600} mt="xs">
            {unseen.length === 0 ? w.allSeen : w.unseen}
          </Text>
          <Stack gap={4} mt={4} component="ul" m={0} p={0} style={{ listStyle: 'none' }}>
            {unseen.map(({ line, text }, at) => (
              <Text component="li" key={at} fz="sm" style={{ overflowWrap: 'anywhere' }}>
                {line !== null && (
                  <Text span c="dimmed" fz="xs">
                    {w.line(line)}{' '}
                  </Text>
                )}
                {text}
              </Text>
            ))}
          </Stack>
        </Box>
      </Group>
    </Section>
  );
}
