import { Anchor, Box, Card, Code, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { Link } from 'wouter';
import { useAnswer } from '../../api/queries.js';
import type { Findings, Overview } from '../../api/types.js';
import { Id } from '../../parts/texts.js';
import { SeverityMark } from '../../parts/marks.js';
import { Moment } from '../../parts/moment.js';
import { Problem } from '../../parts/problem.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { useCount } from './numbers.js';
import { OVERVIEW_WORDS } from './words.js';

/** More stand where they are mended. */
const MOST = 3;
const SEVERITIES = ['error', 'warning', 'info'] as const;

/** Which rules are live since when, and what is wrong with the files. */
export function LiveRules({ ruleSet }: { readonly ruleSet: Overview['ruleSet'] }) {
  const w = useWords(OVERVIEW_WORDS);
  const shown = useWords(SHOWN);
  const count = useCount();
  const { data, error, refetch } = useAnswer<Findings>('/findings', {}, { every: 30_000 });
  const findings = [...(data?.findings ?? [])].sort(
    (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity),
  );
  return (
    <Card withBorder padding="sm" component="section" aria-labelledby="live-rules">
      <Group justify="space-between" mb={4}>
        <Title order={2} fz="h4" id="live-rules">
          {w.ruleSet}
        </Title>
        {ruleSet && (
          <Anchor component={Link} href="/rules" size="sm">
            {ruleSet.rules === null ? shown.rules : w.rulesCount(count(ruleSet.rules))}
          </Anchor>
        )}
      </Group>
      {ruleSet === null ? (
        <Text size="sm">{w.noRuleSet}</Text>
      ) : (
        <Text size="sm" component="div">
          <Id text={ruleSet.hash} short /> · {w.activation(ruleSet.number)} · {w.liveSince}{' '}
          <Moment time={ruleSet.activatedAt} /> · {w.by} {ruleSet.actor ?? w.byService}
        </Text>
      )}
      <Stack gap={6} mt="xs">
        {data === undefined ? (
          error ? (
            <Problem error={error} retry={() => void refetch()} />
          ) : (
            <Skeleton height={60} />
          )
        ) : !data.checked ? (
          <Text size="sm" c="dimmed">
            {w.notChecked}
          </Text>
        ) : findings.length === 0 ? (
          <Group gap={6}>
            <IconCheck size={16} color="var(--mantine-color-teal-6)" aria-hidden />
            <Text size="sm">{w.noFindings}</Text>
          </Group>
        ) : (
          <>
            {findings.slice(0, MOST).map((one) => (
              <Link
                key={`${one.file} ${one.line} ${one.column} ${one.code}`}
                href="/attention?part=findings"
                className="way"
              >
                <Group gap="xs" wrap="nowrap" align="flex-start">
                  <Box style={{ flex: 'none' }}>
                    <SeverityMark severity={one.severity} />
                  </Box>
                  <Text size="xs" lineClamp={2} style={{ overflowWrap: 'anywhere' }}>
                    <Code fz={11}>
                      {one.file}:{one.line}
                    </Code>{' '}
                    {one.message}
                  </Text>
                </Group>
              </Link>
            ))}
            {findings.length > MOST && (
              <Anchor component={Link} href="/attention?part=findings" size="sm">
                {w.moreFindings(findings.length - MOST)}
              </Anchor>
            )}
          </>
        )}
      </Stack>
    </Card>
  );
}
