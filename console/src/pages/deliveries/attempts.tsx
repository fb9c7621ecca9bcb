import { Alert, Badge, Box, Card, Code, Group, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import { IconCheck, IconClock, IconHelp, IconPlayerPlay, IconRefresh, IconX } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { Attempt, DeliveryDetail } from '../../api/types.js';
import { exactMoment, Moment, shownDuration, useNow } from '../../parts/moment.js';
import { JsonText } from '../../parts/texts.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { CodeMark } from './code-mark.js';
import { DELIVERIES } from './words.js';
import './deliveries.css';

const OUTCOMES = {
  delivered: { colour: 'teal', icon: <IconCheck size={16} />, word: 'outcomeDelivered' },
  retry: { colour: 'orange', icon: <IconX size={16} />, word: 'outcomeRetry' },
  permanent: { colour: 'red', icon: <IconX size={16} />, word: 'outcomePermanent' },
  lost: { colour: 'yellow', icon: <IconHelp size={16} />, word: 'outcomeLost' },
} as const satisfies Record<Attempt['outcome'], object>;

/** Every attempt: a picture of all with the waits between, and below it what each of them said. */
export function Attempts({ delivery }: { readonly delivery: DeliveryDetail }) {
  const w = useWords(DELIVERIES);
  const { attempts } = delivery;
  return (
    <Card withBorder>
      <Title order={2} fz="h4" mb="sm">
        {w.attemptsTitle}
      </Title>
      <Picture delivery={delivery} />
      {attempts.length === 0 ? (
        <Text size="sm" c="dimmed">
          {w.noAttempts}
        </Text>
      ) : (
        <Stack gap="xs" mt="xs" role="list" aria-label={w.attemptsTitle}>
          {attempts.toReversed().map((attempt) => (
            <OneAttempt key={attempt.attempt} attempt={attempt} />
          ))}
        </Stack>
      )}
    </Card>
  );
}

/** From when it was made to its last attempt, or the next one. The waits are told, not drawn to scale: they grow threefold. */
function Picture({ delivery }: { readonly delivery: DeliveryDetail }) {
  const w = useWords(DELIVERIES);
  const shown = useWords(SHOWN);
  const now = useNow();
  const { attempts, createdAt, dueAt, state, redrivenAt } = delivery;
  const ahead = state === 'pending' || state === 'deferred' || state === 'delivering';
  const times = [createdAt, ...attempts.map(({ startedAt }) => startedAt)].map((time) => Date.parse(time));
  // An attempt that is under way is not in the list yet.
  const due = Date.parse(dueAt);
  const last = times.at(-1) ?? due;
  return (
    <ol className="attempts" aria-label={w.picture(attempts.length)} tabIndex={0}>
      <Step colour="gray" icon={<IconPlayerPlay size={16} />} title={shown.created}>
        <Moment time={createdAt} />
      </Step>
      {attempts.map(({ attempt, outcome, startedAt, status, ambiguous }, index) => {
        const { colour, icon, word } = OUTCOMES[outcome];
        const before = times[index] ?? 0;
        const wait = Date.parse(startedAt) - before;
        const again =
          redrivenAt !== null &&
          Date.parse(redrivenAt) > before &&
          Date.parse(redrivenAt) <= Date.parse(startedAt);
        return (
          <Step
            key={attempt}
            colour={colour}
            icon={icon}
            title={`${attempt}. ${w[word]}`}
            gap={`${again ? `${w.redriven} · ` : ''}${shownDuration(Math.max(wait, 0))}`}
          >
            {status !== null && (
              <Text span inherit ff="monospace">
                {status}
              </Text>
            )}
            {ambiguous && ` ${w.ambiguous}`}
          </Step>
        );
      })}
      {ahead && (
        <Step
          colour="blue"
          icon={state === 'delivering' ? <IconRefresh size={16} /> : <IconClock size={16} />}
          title={state === 'delivering' ? shown.delivering : w.nextDue}
          gap={due > last ? shownDuration(due - last) : ''}
          ahead
        >
          {state !== 'delivering' && (due <= now ? w.dueNow : <Moment time={dueAt} />)}
        </Step>
      )}
    </ol>
  );
}

function Step({
  colour,
  icon,
  title,
  gap,
  ahead = false,
  children,
}: {
  readonly colour: string;
  readonly icon: ReactNode;
  readonly title: string;
  /** How long after the one before; absent: it is the first. */
  readonly gap?: string;
  readonly ahead?: boolean;
  readonly children?: ReactNode;
}) {
  return (
    <li {...(gap === undefined ? {} : { 'data-gap': '' })}>
      {gap !== undefined && (
        <Box className="attempts-gap" {...(ahead ? { 'data-ahead': '' } : {})}>
          <Text size="xs" c="dimmed" style={{ whiteSpace: 'nowrap' }} px={4}>
            {gap}
          </Text>
        </Box>
      )}
      <Box className="attempts-step">
        <ThemeIcon radius="xl" size={30} color={colour} variant="light">
          {icon}
        </ThemeIcon>
        <Text size="xs" fw={600}>
          {title}
        </Text>
        <Text size="xs" c="dimmed" component="div">
          {children}
        </Text>
      </Box>
    </li>
  );
}

function OneAttempt({ attempt: one }: { readonly attempt: Attempt }) {
  const w = useWords(DELIVERIES);
  const { colour, word } = OUTCOMES[one.outcome];
  return (
    <Card withBorder padding="sm" role="listitem">
      <Group gap="sm" align="center">
        <Text fw={600} size="sm">
          {one.attempt}.
        </Text>
        <Badge color={colour} variant="light">
          {w[word]}
        </Badge>
        {one.status !== null && <Code>{one.status}</Code>}
        {one.code !== null && (
          <Text size="sm" component="div" style={{ flex: '1 1 200px' }}>
            <CodeMark code={one.code} />
          </Text>
        )}
        <Text size="sm" c="dimmed" ml="auto">
          <time dateTime={one.startedAt}>{exactMoment(one.startedAt)}</time>
          {one.durationMs !== null && ` · ${shownDuration(one.durationMs)}`}
        </Text>
      </Group>
      <Text size="sm" mt={6} style={{ overflowWrap: 'anywhere' }}>
        {one.detail}
      </Text>
      {(one.ambiguous || one.outcome === 'lost') && (
        <Alert color="yellow" mt="xs" icon={<IconHelp />} title={w.ambiguous} styles={TITLE_READS}>
          {one.outcome === 'lost' ? `${w.lostAbout} ` : ''}
          {one.ambiguous ? w.ambiguousAbout : ''}
        </Alert>
      )}
      {one.answer !== '' && (
        <Box mt="xs">
          <Text size="xs" c="dimmed" mb={2}>
            {w.answerStart}
          </Text>
          <JsonText value={one.answer} height={180} />
        </Box>
      )}
    </Card>
  );
}

/** On a yellow ground yellow letters cannot be read. */
const TITLE_READS = { title: { color: 'var(--mantine-color-text)' } };
