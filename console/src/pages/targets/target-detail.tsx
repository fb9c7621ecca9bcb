import { Alert, Card, Code, Group, Progress, Stack, Table, Text, Title } from '@mantine/core';
import { IconPlugConnected } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { Target } from '../../api/types.js';
import { RuleLink } from '../../parts/links.js';
import { Moment, shownDuration } from '../../parts/moment.js';
import { OperatorButton } from '../../parts/operator-button.js';
import { useWords } from '../../words/words.js';
import { HealthMark, healthOf } from './health.js';
import { StateCounts } from './state-counts.js';
import { TARGET_WORDS } from './words.js';

/** All that is known of one target. */
export function TargetDetail({ target, test }: { readonly target: Target; readonly test: () => void }) {
  const w = useWords(TARGET_WORDS);
  const health = healthOf(target);
  const colour = health === 'closed' ? 'teal' : health === 'open' ? 'red' : 'orange';
  const shared = target.lane !== target.target;
  return (
    <Stack>
      <Alert color={colour} variant="light" p="sm">
        <Group justify="space-between" gap="sm">
          <Text size="sm" c="var(--mantine-color-text)">
            {w[`${health}About`]}
          </Text>
          <HealthMark target={target} />
        </Group>
      </Alert>
      <Card withBorder padding="sm">
        <Title order={2} fz="h4" mb="xs">
          {w.health}
        </Title>
        <Rows
          rows={[
            [w.failures, target.failures],
            ...(target.probeAt === null
              ? []
              : ([[w.probe, <Moment key="probe" time={target.probeAt} />]] as const)),
            ...(target.failingSince === null
              ? []
              : ([[w.failingSince, <Moment key="since" time={target.failingSince} exact />]] as const)),
            [
              w.lastDelivered,
              target.lastDeliveredAt ? <Moment key="ok" time={target.lastDeliveredAt} exact /> : w.never,
            ],
            [
              w.lastFailed,
              target.lastFailedAt ? (
                <Group key="failed" gap="xs">
                  <Moment time={target.lastFailedAt} exact />
                  {target.lastCode !== null && <Code>{target.lastCode}</Code>}
                </Group>
              ) : (
                w.never
              ),
            ],
            ...(target.oldestPendingAt === null
              ? []
              : ([[w.oldest, <Moment key="oldest" time={target.oldestPendingAt} exact />]] as const)),
          ]}
        />
      </Card>
      <Card withBorder padding="sm">
        <Title order={2} fz="h4" mb="xs">
          {w.counts}
        </Title>
        <StateCounts target={target} />
      </Card>
      <Card withBorder padding="sm">
        <Title order={2} fz="h4" mb="xs">
          {w.limits}
        </Title>
        <Rows
          rows={[
            ...(shared
              ? ([
                  [
                    w.lane,
                    target.lane === 'email'
                      ? w.laneEmail
                      : target.lane === 'feishu'
                        ? w.laneFeishu
                        : target.lane,
                  ],
                ] as const)
              : []),
            [
              w.underWay,
              <Stack key="under" gap={4}>
                <Text size="sm">{w.underWayOf(target.underWay, target.concurrency)}</Text>
                <Progress
                  value={(100 * target.underWay) / Math.max(1, target.concurrency)}
                  aria-label={w.underWay}
                />
              </Stack>,
            ],
            [
              w.rate,
              target.rate === null ? w.noRate : w.rateOf(target.rate.max, shownDuration(target.rate.perMs)),
            ],
          ]}
        />
      </Card>
      <Card withBorder padding="sm">
        <Title order={2} fz="h4" mb="xs">
          {w.rulesHere}
        </Title>
        <Group gap="sm">
          {target.rules.map((rule) => (
            <Text key={rule} span fz="sm">
              <RuleLink name={rule} />
            </Text>
          ))}
        </Group>
      </Card>
      <Group justify="flex-end">
        <OperatorButton leftSection={<IconPlugConnected size={16} />} onClick={test}>
          {w.test}
        </OperatorButton>
      </Group>
    </Stack>
  );
}

function Rows({ rows }: { readonly rows: readonly (readonly [name: string, value: ReactNode])[] }) {
  return (
    <Table variant="vertical" verticalSpacing={4} withRowBorders={false} layout="fixed">
      <Table.Tbody>
        {rows.map(([name, value]) => (
          <Table.Tr key={name}>
            <Table.Th w="45%" fw={400}>
              {name}
            </Table.Th>
            <Table.Td style={{ overflowWrap: 'anywhere' }}>{value}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
