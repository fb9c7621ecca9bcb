import { Box, Button, Group, Stack, Text, UnstyledButton } from '@mantine/core';
import { IconChevronRight, IconFlask, IconListCheck } from '@tabler/icons-react';
import { useId } from 'react';
import { Link } from 'wouter';
import type { Delivery, RuleExplanation, Suppression } from '../../api/types.js';
import { DeliveryState, VerdictMark } from '../../parts/marks.js';
import { Moment } from '../../parts/moment.js';
import { SHOWN } from '../../words/shown-words.js';
import { useMay } from '../../api/session.js';
import { useWords } from '../../words/words.js';
import { ConditionTree } from './condition-tree.js';
import { Value } from './values.js';
import { FactName, standingOf, Why } from './why.js';
import { EVENTS } from './words.js';
import './rule-verdict.css';

/** What one rule said of the event: the verdict and why in a line, and behind it the whole tree. */
export function RuleVerdict({
  told,
  suppressions,
  deliveries,
  eventId,
  opened,
  toggle,
}: {
  readonly told: RuleExplanation;
  readonly suppressions: readonly Suppression[];
  readonly deliveries: readonly Delivery[];
  readonly eventId: string;
  readonly opened: boolean;
  readonly toggle: () => void;
}) {
  const w = useWords(EVENTS);
  const shown = useWords(SHOWN);
  const mayTry = useMay('operator');
  const region = useId();
  const standing = standingOf(told);
  return (
    <Box className="verdict" data-standing={standing}>
      <UnstyledButton className="verdict-head" onClick={toggle} aria-expanded={opened} aria-controls={region}>
        <IconChevronRight size={16} className="chevron" data-opened={opened} aria-hidden />
        <Box miw={0} style={{ flex: 1 }}>
          <Group gap="xs">
            <VerdictMark standing={standing} />
            <Text span fw={650} size="sm" className="anywhere">
              {told.rule}
            </Text>
          </Group>
          <Text size="sm" component="div" className="anywhere" mt={2}>
            <Why told={told} deliveries={deliveries.length} />
          </Text>
        </Box>
      </UnstyledButton>
      <Suppressed suppressions={suppressions} />
      <Box id={region}>
        {opened && (
          <Stack gap="sm" className="verdict-body">
            {told.description !== null && (
              <Text size="sm" className="quiet anywhere">
                {told.description}
              </Text>
            )}
            <ConditionTree tree={told.tree} label={w.whyRule(told.rule)} />
            <RepairLine told={told} />
            <LookupLines told={told} />
            {deliveries.map(({ id, action, state }) => (
              <Group key={id} gap="xs">
                <DeliveryState state={state} />
                <Link href={`/deliveries/${id}`} className="entity">
                  {action}
                </Link>
              </Group>
            ))}
            <Group gap="xs">
              <Button
                component={Link}
                href={`/rules/${encodeURIComponent(told.rule)}`}
                size="compact-sm"
                variant="default"
                leftSection={<IconListCheck size={14} />}
              >
                {w.toRule}
              </Button>
              {mayTry && (
                <Button
                  component={Link}
                  href={`/try?event=${encodeURIComponent(eventId)}&rule=${encodeURIComponent(told.rule)}`}
                  size="compact-sm"
                  variant="default"
                  leftSection={<IconFlask size={14} />}
                >
                  {shown.tryRule}
                </Button>
              )}
              <Text span size="xs" ff="monospace" className="quiet anywhere" title={shown.rule}>
                {told.file}:{told.line}
              </Text>
            </Group>
          </Stack>
        )}
      </Box>
    </Box>
  );
}

/** "Matched", and no delivery: each action with its cause. */
function Suppressed({ suppressions }: { readonly suppressions: readonly Suppression[] }) {
  const w = useWords(EVENTS);
  if (suppressions.length === 0) return null;
  return (
    <Stack gap={2} className="verdict-body" pt={0}>
      {suppressions.map(({ action, step, cause, by, times }, at) => (
        <Text key={at} size="sm" component="div" className="suppressed anywhere">
          {w.suppressed}:{' '}
          <Text span ff="monospace" fz="xs">
            {step === undefined ? action : `${step} / ${action}`}
          </Text>{' '}
          — {w[`cause ${cause}`]}
          {by !== undefined && (
            <Text span fz="xs" ff="monospace" className="quiet">
              {' '}
              ({by})
            </Text>
          )}
          {times !== undefined && `, ${w.times(times)}`}
        </Text>
      ))}
    </Stack>
  );
}

/** The smallest change that would have made it match. */
function RepairLine({ told: { repair } }: { readonly told: RuleExplanation }) {
  const w = useWords(EVENTS);
  if (repair === null) return null;
  if (repair.kind === 'undecided')
    return (
      <Text size="sm" className="quiet">
        {w.repairNone}
      </Text>
    );
  return (
    <Box className="repair">
      <Text size="xs" fw={600}>
        {w.repair}
      </Text>
      {repair.changes.map(({ fact, path, from, to, labels }, at) => (
        <Text key={at} size="sm" component="div" className="anywhere">
          <FactName fact={fact} path={path} label={labels.field} />
          {': '}
          <Value value={from} label={labels.from} exact={typeof from !== typeof to && from !== undefined} />
          {' → '}
          <Text span inherit fw={650}>
            {to === undefined ? (
              w.gone
            ) : (
              <Value value={to} label={labels.to} exact={typeof from !== typeof to && from !== undefined} />
            )}
          </Text>
        </Text>
      ))}
    </Box>
  );
}

function LookupLines({ told: { lookups } }: { readonly told: RuleExplanation }) {
  const w = useWords(EVENTS);
  if (lookups.length === 0) return null;
  return (
    <Stack gap={2}>
      <Text size="xs" fw={600}>
        {w.lookups}
      </Text>
      {lookups.map((one) => (
        <Text key={one.name} size="sm" component="div" className="anywhere">
          <Text span ff="monospace" fz="xs">
            {one.name}
          </Text>{' '}
          {w[`lookup_${one.state}`]}
          {one.state !== 'not asked' && (
            <>
              {' '}
              (<Moment time={new Date(one.fetchedAt).toISOString()} exact />){' '}
              <Text span fz="xs" ff="monospace" className="quiet">
                {one.request}
              </Text>
            </>
          )}
          {one.state === 'failed' && ` — ${one.code}: ${one.detail}`}
        </Text>
      ))}
    </Stack>
  );
}
