import { Alert, Box, Group, Skeleton, Stack, Text } from '@mantine/core';
import { useAnswer } from '../../api/queries.js';
import { segment } from '../../api/client.js';
import type { RuleAnswer, RuleHistory, StandingCounts } from '../../api/types.js';
import { EventLink } from '../../parts/links.js';
import { type Standing, VerdictMark } from '../../parts/marks.js';
import { exactMoment, localeOf, Moment } from '../../parts/moment.js';
import { Problem } from '../../parts/problem.js';
import { Id } from '../../parts/texts.js';
import { SHOWN } from '../../words/shown-words.js';
import { useLanguage, useWords } from '../../words/words.js';
import { Columns, type Kind } from './columns.js';
import { LeafWords } from './leaf-words.js';
import { Section } from './sentence-tab.js';
import { RULES_WORDS } from './words.js';

/** From the ground up: what did not match is most, and would hide the others. */
const SHOWN_STANDINGS = ['matched', 'nearMiss', 'unknown', 'error'] as const;

const LOOKS: Readonly<Record<keyof StandingCounts, Omit<Kind, 'name'> & { readonly mark: Standing }>> = {
  matched: { colour: 'var(--mantine-color-teal-6)', pattern: 'plain', mark: 'matched' },
  nearMiss: { colour: 'var(--mantine-color-orange-6)', pattern: 'stripes', mark: 'near miss' },
  unknown: { colour: 'var(--mantine-color-yellow-5)', pattern: 'dots', mark: 'unknown' },
  error: { colour: 'var(--mantine-color-red-7)', pattern: 'plain', mark: 'error' },
  notMatched: { colour: 'var(--mantine-color-gray-5)', pattern: 'hollow', mark: 'not matched' },
  skipped: { colour: 'var(--mantine-color-gray-5)', pattern: 'hollow', mark: 'skipped' },
};
const STANDINGS = Object.keys(LOOKS) as (keyof StandingCounts)[];

/** How the rule stands to the last events, and what it had sent. */
export function HistoryTab({ rule }: { readonly rule: RuleAnswer }) {
  const w = useWords(RULES_WORDS);
  const shown = useWords(SHOWN);
  const { data, error, refetch, isPending } = useAnswer<RuleHistory>(`/rules/${segment(rule.name)}/history`, {
    events: 500,
  });
  if (error) return <Problem error={error} retry={() => void refetch()} />;
  if (isPending)
    return (
      <Stack aria-busy="true" aria-label={shown.loading}>
        <Skeleton height={280} />
        <Skeleton height={180} />
      </Stack>
    );
  return (
    <Stack>
      {data.masked && <Alert color="gray">{shown.masked}</Alert>}
      {data.looked === 0 ? (
        <Alert color="gray" title={w.lookedNone}>
          {w.lookedNoneAbout}
        </Alert>
      ) : (
        <>
          <Standings history={data} />
          <NearMisses history={data} />
        </>
      )}
      <Days history={data} />
    </Stack>
  );
}

function Standings({ history }: { readonly history: RuleHistory }) {
  const w = useWords(RULES_WORDS);
  const shown = useWords(SHOWN);
  const { counts, slices, from, until, lastMatched } = history;
  return (
    <Section title={w.looked(history.looked)}>
      <Text fz="sm" c="dimmed" mb="sm">
        {w.lookedAbout} {history.left > 0 && w.lookedLeft(history.left)}
      </Text>
      <Group gap="lg" mb="md">
        {STANDINGS.map((one) => (
          <Group key={one} gap={6} wrap="nowrap">
            <VerdictMark standing={LOOKS[one].mark} />
            <Text span fw={600} fz="lg">
              {counts[one]}
            </Text>
          </Group>
        ))}
      </Group>
      {from !== null && until !== null && (
        <Columns
          label={w.chartOf}
          kinds={SHOWN_STANDINGS.map((one) => ({ ...LOOKS[one], name: shown[one] }))}
          columns={slices.map((slice) => ({
            key: slice.from,
            name: exactMoment(slice.from),
            counts: SHOWN_STANDINGS.map((one) => slice[one]),
          }))}
          from={exactMoment(from)}
          until={exactMoment(until)}
        />
      )}
      <Text fz="sm" mt="sm" component="div">
        {lastMatched === null ? (
          w.neverMatched
        ) : (
          <>
            {w.lastMatched}: <Moment time={lastMatched.receivedAt} /> ·{' '}
            <EventLink id={lastMatched.eventId}>
              <Id text={lastMatched.eventId} short />
            </EventLink>
          </>
        )}
      </Text>
    </Section>
  );
}

function NearMisses({ history: { nearMisses } }: { readonly history: RuleHistory }) {
  const w = useWords(RULES_WORDS);
  return (
    <Section title={w.nearMisses}>
      <Text fz="sm" c="dimmed" mb="sm">
        {nearMisses.length === 0 ? w.noNearMisses : w.nearMissesAbout}
      </Text>
      <Stack gap="sm" component="ul" m={0} p={0} style={{ listStyle: 'none' }}>
        {nearMisses.map(({ leaf, count, eventIds }, at) => (
          <Group component="li" key={at} align="flex-start" gap="md" wrap="nowrap">
            <Text fw={600} fz="sm" w={64} ta="right" style={{ flex: 'none' }}>
              {w.times(count)}
            </Text>
            <Box miw={0}>
              <LeafWords leaf={leaf} />
              <Group gap="sm" mt={2}>
                <Text span fz="xs" c="dimmed">
                  {w.nextTo}:
                </Text>
                {eventIds.map((id) => (
                  <EventLink key={id} id={id}>
                    <Id text={id} short />
                  </EventLink>
                ))}
              </Group>
            </Box>
          </Group>
        ))}
      </Stack>
    </Section>
  );
}

const DAY = 86_400_000;
const DAYS = 30;

function Days({ history: { days } }: { readonly history: RuleHistory }) {
  const w = useWords(RULES_WORDS);
  const shown = useWords(SHOWN);
  const { language } = useLanguage();
  const last = Date.parse(new Date().toISOString().slice(0, 10));
  const nameOf = (day: string): string =>
    new Intl.DateTimeFormat(localeOf(language), { month: 'short', day: 'numeric', timeZone: 'UTC' }).format(
      new Date(`${day}T00:00:00Z`),
    );
  const columns = Array.from({ length: DAYS }, (_one, at) => {
    const day = new Date(last - (DAYS - 1 - at) * DAY).toISOString().slice(0, 10);
    const { made, delivered, dead } = days.find((one) => one.day === day) ?? {
      made: 0,
      delivered: 0,
      dead: 0,
    };
    return { key: day, name: nameOf(day), counts: [delivered, dead, Math.max(0, made - delivered - dead)] };
  });
  return (
    <Section title={w.deliveriesByDay}>
      {days.length === 0 ? (
        <Text fz="sm">{w.noDeliveries}</Text>
      ) : (
        <Columns
          label={w.deliveriesByDay}
          kinds={[
            { name: shown.delivered, colour: 'var(--mantine-color-teal-6)', pattern: 'plain' },
            { name: shown.dead, colour: 'var(--mantine-color-red-7)', pattern: 'stripes' },
            { name: w.otherStates, colour: 'var(--mantine-color-blue-5)', pattern: 'hollow' },
          ]}
          columns={columns}
          from={columns[0]?.name ?? ''}
          until={columns.at(-1)?.name ?? ''}
          height={110}
        />
      )}
    </Section>
  );
}
