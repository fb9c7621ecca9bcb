import { Anchor, Card, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { Link } from 'wouter';
import { useAnswer } from '../../api/queries.js';
import type { Target, Targets } from '../../api/types.js';
import { Moment } from '../../parts/moment.js';
import { Problem } from '../../parts/problem.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { byUrgency, HealthMark } from '../targets/health.js';
import { TargetName } from '../targets/target-name.js';
import { TARGET_WORDS } from '../targets/words.js';
import { OVERVIEW_WORDS } from './words.js';

/** More stand on the page of targets. */
const MOST = 6;

/** The targets that need a look first. */
export function TargetsHealth() {
  const w = useWords(OVERVIEW_WORDS);
  const { data, error, refetch } = useAnswer<Targets>('/targets', {}, { every: 10_000 });
  const rows = data ? [...data.items].sort(byUrgency) : null;
  return (
    <Card withBorder padding="sm" component="section" aria-labelledby="targets-health">
      <Group justify="space-between" mb={4}>
        <Title order={2} fz="h4" id="targets-health">
          {w.targets}
        </Title>
        <Anchor component={Link} href="/targets" size="sm">
          {rows && rows.length > 0 ? w.allTargets(rows.length) : w.targets}
        </Anchor>
      </Group>
      {rows === null ? (
        error ? (
          <Problem error={error} retry={() => void refetch()} />
        ) : (
          <Skeleton height={160} />
        )
      ) : rows.length === 0 ? (
        <Text size="sm" c="dimmed">
          {w.targetsNone}
        </Text>
      ) : (
        <Stack gap={0}>
          {rows.slice(0, MOST).map((target) => (
            <TargetRow key={`${target.target} ${target.rules.join(' ')}`} target={target} />
          ))}
        </Stack>
      )}
    </Card>
  );
}

function TargetRow({ target }: { readonly target: Target }) {
  const w = useWords(TARGET_WORDS);
  const shown = useWords(SHOWN);
  const { lastDeliveredAt, lastFailedAt, lastCode } = target;
  const failedLast = lastFailedAt !== null && (lastDeliveredAt === null || lastFailedAt > lastDeliveredAt);
  return (
    <Link href={`/targets?${new URLSearchParams({ target: target.target })}`} className="way">
      <Group justify="space-between" wrap="nowrap" gap="xs" py={5} px={4}>
        <div style={{ minWidth: 0 }}>
          <Text component="div" size="sm">
            <TargetName {...target} />
          </Text>
          <Text size="xs" c="dimmed" pl={22}>
            {failedLast ? (
              <>
                {w.lastFailed} <Moment time={lastFailedAt} /> {lastCode}
              </>
            ) : (
              <>
                {shown.delivered} {lastDeliveredAt === null ? w.never : <Moment time={lastDeliveredAt} />}
              </>
            )}
          </Text>
        </div>
        <HealthMark target={target} />
      </Group>
    </Link>
  );
}
