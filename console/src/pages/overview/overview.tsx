import { Box, Grid, SimpleGrid, Skeleton, Stack } from '@mantine/core';
import { useAskOnChanges } from '../../api/ask-on-changes.js';
import { useAnswer } from '../../api/queries.js';
import type { Overview as Answer } from '../../api/types.js';
import { Moment } from '../../parts/moment.js';
import { PageHead } from '../../parts/page-head.js';
import { Problem } from '../../parts/problem.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { LiveRules } from './live-rules.js';
import { Needs } from './needs.js';
import { NextOut } from './next-out.js';
import './overview.css';
import { StateBar } from './state-bar.js';
import { TargetsHealth } from './targets-health.js';
import { Traffic } from './traffic.js';
import { OVERVIEW_WORDS } from './words.js';

/** How things stand: what is to be done first, then what moves. */
export default function Overview() {
  const w = useWords(OVERVIEW_WORDS);
  const { data, error, refetch } = useAnswer<Answer>(
    '/overview',
    {},
    // A service that has just started counts its day while it answers.
    { every: (answer) => (answer?.lastDay === null ? 1000 : 10_000) },
  );
  useAskOnChanges('deliveries', '/targets');
  return (
    <>
      <PageHead
        title={w.title}
        about={
          data && (
            <>
              {w.about} <Moment time={data.at} exact />
            </>
          )
        }
      />
      {data ? (
        <Stack gap="sm">
          <Needs needs={data.needsPerson} />
          <Traffic minutes={data.minutes} lastDay={data.lastDay} />
          <StateBar states={data.states} />
          <Grid gap="sm">
            <Grid.Col span={{ base: 12, md: 7 }}>
              <NextOut next={data.next} />
            </Grid.Col>
            <Grid.Col span={{ base: 12, md: 5 }}>
              <Stack gap="sm">
                <TargetsHealth />
                <LiveRules ruleSet={data.ruleSet} />
              </Stack>
            </Grid.Col>
          </Grid>
        </Stack>
      ) : error ? (
        <Problem error={error} retry={() => void refetch()} />
      ) : (
        <Waiting />
      )}
    </>
  );
}

/** As high as what comes, so that nothing jumps. */
function Waiting() {
  const w = useWords(SHOWN);
  return (
    <Box aria-busy="true" aria-label={w.loading} role="status">
      <Stack gap="sm">
        <SimpleGrid cols={{ base: 2, sm: 3, lg: 5 }} spacing="xs">
          {[0, 1, 2, 3, 4].map((one) => (
            <Skeleton key={one} height={96} />
          ))}
        </SimpleGrid>
        <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="sm">
          {[0, 1, 2].map((one) => (
            <Skeleton key={one} height={180} />
          ))}
        </SimpleGrid>
        <Skeleton height={104} />
        <Skeleton height={320} />
      </Stack>
    </Box>
  );
}
