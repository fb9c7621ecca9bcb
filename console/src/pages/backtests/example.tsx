import { Box, Button, Card, Code, Group, SimpleGrid, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useId } from 'react';
import type { BacktestExample } from '../../api/types.js';
import { Merge } from '../../parts/lazy-merge.js';
import { EntityLink, EventLink } from '../../parts/links.js';
import { VerdictMark } from '../../parts/marks.js';
import { Moment } from '../../parts/moment.js';
import { useWords } from '../../words/words.js';
import { ConditionTree } from '../events/condition-tree.js';
import { KindIcon } from '../rules/action-kind.js';
import { RequestShown } from '../try/request-shown.js';
import { ChangeMark } from './counts.js';
import { BACKTEST_WORDS } from './words.js';

type Side = 'before' | 'after';
const SIDES: readonly Side[] = ['before', 'after'];

/** One delivery that differs: what each rule set makes of it, and why. */
export function ExampleCard({ example, rule }: { readonly example: BacktestExample; readonly rule: string }) {
  const w = useWords(BACKTEST_WORDS);
  const [opened, { toggle }] = useDisclosure(false);
  const region = useId();
  const { change, action, kind, step, entity, event } = example;
  return (
    <Card withBorder padding="sm" component="article" aria-label={`${w[change]}: ${action}, ${entity}`}>
      <Group gap={6} align="flex-start" wrap="nowrap" justify="space-between">
        <Box miw={0} style={{ overflowWrap: 'anywhere' }}>
          <Group gap={6}>
            <ChangeMark change={change} />
            <KindIcon kind={kind} />
            <Text span fz="sm" fw={600}>
              {action}
              {step !== null && ` · ${w.step(step)}`}
            </Text>
          </Group>
          <Text fz="sm" component="div" mt={4}>
            {event ? (
              <>
                <EventLink id={event.id}>{event.eventType}</EventLink> · <Moment time={event.receivedAt} /> ·{' '}
                <EntityLink entity={entity} />
              </>
            ) : (
              `${w.several} · ${entity}`
            )}
          </Text>
        </Box>
        <Button
          variant="subtle"
          size="compact-sm"
          style={{ flex: 'none' }}
          aria-label={opened ? w.hide : w.detailsOf(action, entity)}
          aria-expanded={opened}
          aria-controls={region}
          onClick={toggle}
        >
          {opened ? w.hide : w.details}
        </Button>
      </Group>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="xs" mt={6}>
        {SIDES.map((side) => (
          <Outcome key={side} example={example} side={side} />
        ))}
      </SimpleGrid>
      <Box id={region}>
        {opened && (
          <Stack mt="sm" gap="sm">
            <Requests example={example} />
            <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="sm">
              {SIDES.map((side) => (
                <Why key={side} example={example} rule={rule} side={side} />
              ))}
            </SimpleGrid>
          </Stack>
        )}
      </Box>
    </Card>
  );
}

function Outcome({ example, side }: { readonly example: BacktestExample; readonly side: Side }) {
  const w = useWords(BACKTEST_WORDS);
  const delivery = example[side];
  const cause = example.suppressed[side];
  return (
    <Text fz="sm" component="div" style={{ overflowWrap: 'anywhere' }}>
      <Text span fz="xs" fw={600} c="dimmed">
        {w[side]}{' '}
      </Text>
      {delivery === null ? (
        cause === null ? (
          w.notSent
        ) : (
          w.notSentFor(cause)
        )
      ) : (
        <>
          {w[delivery.state]} {delivery.at !== null && <Moment time={delivery.at} exact />}{' '}
          <Text span fz="xs" ff="monospace">
            {delivery.target}
          </Text>
          {delivery.code !== null && (
            <>
              {' '}
              <Code>{delivery.code}</Code> {delivery.reason}
            </>
          )}
        </>
      )}
    </Text>
  );
}

const isThere = (value: unknown): boolean => value !== undefined && value !== null;

function Requests({ example: { before, after, action, fields } }: { readonly example: BacktestExample }) {
  const w = useWords(BACKTEST_WORDS);
  const [was, is] = [before?.request, after?.request];
  if (isThere(was) && isThere(is)) {
    const [one, other] = [JSON.stringify(was, null, 2), JSON.stringify(is, null, 2)];
    return (
      <Box>
        <Text fz="xs" fw={600} mb={4}>
          {one === other ? w.request : w.differs}
        </Text>
        {one === other ? (
          <RequestShown request={is} />
        ) : (
          <Merge before={one} after={other} label={`${w.differs}: ${action}`} maxHeight={360} />
        )}
      </Box>
    );
  }
  const only = isThere(is) ? is : was;
  if (isThere(only))
    return (
      <Box>
        <Text fz="xs" fw={600} mb={4}>
          {w.request}
        </Text>
        <RequestShown request={only} />
      </Box>
    );
  return (
    <Box>
      <Text fz="sm" c="dimmed">
        {w.maskedRequest}
      </Text>
      {fields.length > 0 && (
        <Text fz="sm" component="div">
          {w.differs}:{' '}
          {fields.map(({ path }) => (
            <Code key={path} mr={4}>
              {path}
            </Code>
          ))}
        </Text>
      )}
    </Box>
  );
}

function Why({
  example,
  rule,
  side,
}: {
  readonly example: BacktestExample;
  readonly rule: string;
  readonly side: Side;
}) {
  const w = useWords(BACKTEST_WORDS);
  const why = example.why[side];
  const title = side === 'before' ? w.whyBefore : w.whyAfter;
  return (
    <Box miw={0}>
      <Group gap={6} mb={4}>
        <Text fz="xs" fw={600}>
          {title}
        </Text>
        {why && <VerdictMark standing={why.nearMiss ? 'near miss' : why.verdict.verdict} />}
      </Group>
      {why ? (
        <ConditionTree tree={why.tree} label={w.treeOf(rule, title)} />
      ) : (
        <Text fz="sm" c="dimmed">
          {w.noRule}
        </Text>
      )}
    </Box>
  );
}
