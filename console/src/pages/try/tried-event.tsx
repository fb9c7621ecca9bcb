import { Alert, Box, Button, Card, Code, Group, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconAlarm, IconArrowRight } from '@tabler/icons-react';
import { useId } from 'react';
import { useCatalogue } from '../../api/queries.js';
import { Merge } from '../../parts/lazy-merge.js';
import { EntityLink, EventLink } from '../../parts/links.js';
import { type Standing, VerdictMark } from '../../parts/marks.js';
import { Moment } from '../../parts/moment.js';
import { useLabel, useWords } from '../../words/words.js';
import { KindIcon } from '../rules/action-kind.js';
import { LeafWords } from '../rules/leaf-words.js';
import { ChangeMark, isDifferent, type TriedDelivery, type TriedEvent, type TriedRule } from './changes.js';
import { RequestShown } from './request-shown.js';
import { TRY_WORDS } from './words.js';

/** One event: verdicts before and now, what would be sent, and which timers would begin. */
export function TriedEventCard({ event }: { readonly event: TriedEvent }) {
  const w = useWords(TRY_WORDS);
  const labelOf = useLabel();
  const catalogue = useCatalogue();
  const different = isDifferent(event);
  const [opened, { toggle }] = useDisclosure(different);
  const region = useId();
  const label = labelOf(catalogue?.items.find(({ eventType }) => eventType === event.eventType)?.label);
  const rules = event.rules.filter(
    ({ now, before }) => now !== 'not listening' || before !== 'not listening',
  );
  return (
    <Card withBorder padding="sm" component="article" aria-label={event.eventId}>
      <Group justify="space-between" gap="xs" wrap="nowrap" align="flex-start">
        <Box miw={0} style={{ overflowWrap: 'anywhere' }}>
          <Text fz="sm" component="div">
            <EventLink id={event.id}>{label ?? event.eventType}</EventLink> ·{' '}
            <Moment time={event.receivedAt} />
          </Text>
          {event.rootEntity !== null && (
            <Text fz="xs" component="div">
              <EntityLink entity={event.rootEntity} />
            </Text>
          )}
        </Box>
        <Button
          variant="subtle"
          size="compact-sm"
          aria-expanded={opened}
          aria-controls={region}
          style={{ flex: 'none' }}
          onClick={toggle}
        >
          {opened ? w.hide : w.details}
        </Button>
      </Group>
      <Stack gap={6} mt={6}>
        {rules.map((rule) => (
          <Verdicts key={rule.rule} rule={rule} named={rules.length > 1} />
        ))}
        {event.moreRules > 0 && (
          <Text fz="sm" c="dimmed">
            {w.moreRules(event.moreRules)}
          </Text>
        )}
      </Stack>
      <Box id={region}>
        {opened && (
          <Stack gap="sm" mt="sm">
            {rules.map((rule) => (
              <Why key={rule.rule} rule={rule} named={rules.length > 1} />
            ))}
            {event.deliveries.map((delivery, at) => (
              <DeliveryShown key={at} delivery={delivery} />
            ))}
            {event.timers.length > 0 && (
              <Box>
                <Text fz="xs" fw={600} mb={4}>
                  {w.timers}
                </Text>
                {event.timers.map(({ rule, subject, step, dueAt }, at) => (
                  <Group key={at} gap={6} wrap="nowrap">
                    <IconAlarm size={14} aria-hidden style={{ flex: 'none' }} />
                    <Text fz="sm" style={{ overflowWrap: 'anywhere' }} component="div">
                      {step} · {w.dueAt} <Moment time={dueAt} exact /> · {subject} · {rule}
                    </Text>
                  </Group>
                ))}
              </Box>
            )}
          </Stack>
        )}
        {!opened && event.deliveries.length > 0 && (
          <Group gap={6} mt={6}>
            {event.deliveries.map(({ change, action }, at) => (
              <ChangeMark key={at} change={change} text={`${action}: ${w[change]}`} />
            ))}
          </Group>
        )}
      </Box>
    </Card>
  );
}

function standingOf(verdict: TriedRule['now'], nearMiss: boolean): Standing {
  return verdict === 'not matched' && nearMiss ? 'near miss' : verdict;
}

/** What the verdict was, and is. That of before is not told to be a near miss: only now's is known. */
function Verdicts({
  rule: { rule, now, before, nearMiss },
  named,
}: {
  readonly rule: TriedRule;
  readonly named: boolean;
}) {
  return (
    <Group gap={6}>
      {named && (
        <Text span fz="sm" style={{ overflowWrap: 'anywhere' }}>
          {rule}
        </Text>
      )}
      {now !== before && (
        <>
          <VerdictMark standing={before} />
          <IconArrowRight size={14} aria-label="→" />
        </>
      )}
      <VerdictMark standing={standingOf(now, nearMiss)} />
    </Group>
  );
}

/** Why it did not match, in words. */
function Why({
  rule: { rule, failing, missing, error },
  named,
}: {
  readonly rule: TriedRule;
  readonly named: boolean;
}) {
  const w = useWords(TRY_WORDS);
  if (failing.length === 0 && missing.length === 0 && error === null) return null;
  return (
    <Box>
      {failing.length > 0 && (
        <>
          <Text fz="xs" fw={600} mb={4}>
            {w.failing}
            {named && ` · ${rule}`}
          </Text>
          <Stack gap={4} component="ul" m={0} pl="md">
            {failing.map((leaf, at) => (
              <li key={at}>
                <LeafWords leaf={leaf} />
              </li>
            ))}
          </Stack>
        </>
      )}
      {error !== null && (
        <Text fz="sm" mt={4} style={{ overflowWrap: 'anywhere' }}>
          {w.cannotTell} <Code>{error}</Code>
        </Text>
      )}
      {missing.length > 0 && (
        <Text fz="sm" mt={4} style={{ overflowWrap: 'anywhere' }}>
          {w.missing}{' '}
          {missing.map((fact) => (
            <Code key={fact} mr={4}>
              {fact}
            </Code>
          ))}
        </Text>
      )}
    </Box>
  );
}

function DeliveryShown({ delivery }: { readonly delivery: TriedDelivery }) {
  const w = useWords(TRY_WORDS);
  // What looks different is read at once; whole requests one by one.
  const [opened, { toggle }] = useDisclosure(delivery.change === 'changed');
  const region = useId();
  const { change, action, rule, kind, target, gathered, code, reason, request, before } = delivery;
  return (
    <Card withBorder padding="xs">
      <Group gap={6} mb="xs">
        <ChangeMark change={change} text={w[change]} />
        <KindIcon kind={kind} />
        <Text span fz="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>
          {action}
        </Text>
        <Text span fz="xs" c="dimmed" ff="monospace" style={{ overflowWrap: 'anywhere' }}>
          {rule} → {target}
        </Text>
        {!gathered && (
          <Button
            variant="subtle"
            size="compact-xs"
            ml="auto"
            aria-label={`${opened ? w.hide : w.details}: ${action}`}
            aria-expanded={opened}
            aria-controls={region}
            onClick={toggle}
          >
            {opened ? w.hide : w.details}
          </Button>
        )}
      </Group>
      {code !== null && (
        <Alert color="red" title={w.notRendered} mb="xs" p="xs">
          <Text fz="sm" style={{ overflowWrap: 'anywhere' }}>
            <Code>{code}</Code> {reason}
          </Text>
        </Alert>
      )}
      {gathered && <Text fz="sm">{w.gathered}</Text>}
      <Box id={region}>
        {opened &&
          (change === 'changed' && isThere(before) && isThere(request) ? (
            <Stack gap="xs">
              <Text fz="xs" fw={600}>
                {w.differs}
              </Text>
              <Merge
                narrow
                before={JSON.stringify(before, null, 2)}
                after={JSON.stringify(request, null, 2)}
                label={`${w.differs}: ${action}`}
                maxHeight={320}
              />
              {kind === 'email' && (
                <>
                  <Text fz="xs" fw={600}>
                    {w.now2}
                  </Text>
                  <RequestShown request={request} />
                </>
              )}
            </Stack>
          ) : change === 'removed' || !isThere(request) ? (
            isThere(before) && (
              <Stack gap="xs">
                <Text fz="xs" fw={600}>
                  {w.before2}
                </Text>
                <RequestShown request={before} />
              </Stack>
            )
          ) : (
            !gathered && <RequestShown request={request} />
          ))}
      </Box>
    </Card>
  );
}

const isThere = (value: unknown): boolean => value !== undefined && value !== null;
