import { Group, Stack, Text } from '@mantine/core';
import type { RadarFinding } from '../../api/types.js';
import { EntityLink, EventLink, RuleLink, To } from '../../parts/links.js';
import { type Column, List } from '../../parts/list.js';
import { Moment } from '../../parts/moment.js';
import { OperatorButton } from '../../parts/operator-button.js';
import { SHOWN } from '../../words/shown-words.js';
import { useLanguage, useWords } from '../../words/words.js';
import { RADAR_WORDS } from './words.js';

const MOST_RULES = 5;

/** The findings of one kind, each as a sentence with the ways to what it is about. */
export function FindingList({
  kind,
  findings,
  asks,
  dismiss,
  ask,
}: {
  readonly kind: RadarFinding['kind'];
  readonly findings: readonly RadarFinding[];
  /** Whether the platform can be asked about lost events. */
  readonly asks: boolean;
  readonly dismiss: (finding: RadarFinding) => void;
  readonly ask: (finding: RadarFinding) => void;
}) {
  const w = useWords(RADAR_WORDS);
  const { language } = useLanguage();
  const columns: readonly Column<RadarFinding>[] = [
    {
      title: w.what,
      cell: ({ sentence, state, endedBy, reason }) => (
        <Stack gap={0}>
          <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
            {sentence[language]}
          </Text>
          {state === 'dismissed' && (
            <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
              {reason} · {w.by} {endedBy}
            </Text>
          )}
        </Stack>
      ),
    },
    { title: w.more, cell: (finding) => <Places finding={finding} /> },
    { title: w.seen, cell: ({ firstSeen }) => <Moment time={firstSeen} /> },
    {
      title: '',
      align: 'right',
      cell: (finding) =>
        finding.state === 'open' && (
          <Group gap="xs" justify="flex-end" wrap="nowrap">
            {kind === 'lost-events' && asks && (
              <OperatorButton
                size="compact-sm"
                variant="light"
                label={w.reconcileOne(finding.subject)}
                onClick={() => {
                  ask(finding);
                }}
              >
                {w.reconcile}
              </OperatorButton>
            )}
            <OperatorButton
              size="compact-sm"
              variant="default"
              label={w.dismissOne(finding.subject)}
              onClick={() => {
                dismiss(finding);
              }}
            >
              {w.dismiss}
            </OperatorButton>
          </Group>
        ),
    },
  ];
  return <List label={w[kind]} rows={findings} columns={columns} keyOf={({ id }) => id} />;
}

/** Its rules, its process, its events. */
function Places({ finding: { kind, rules, subject, detail } }: { readonly finding: RadarFinding }) {
  const w = useWords(RADAR_WORDS);
  const shown = useWords(SHOWN);
  const { eventId, eventType, value } = detail;
  const search =
    kind === 'unread-value' && typeof eventType === 'string' && typeof value === 'string'
      ? `/events?${new URLSearchParams({ type: eventType, text: value })}`
      : null;
  return (
    <Group gap="xs">
      {rules.slice(0, MOST_RULES).map((rule) => (
        <RuleLink key={rule} name={rule} />
      ))}
      {rules.length > MOST_RULES && (
        <Text span size="xs" c="dimmed">
          {w.rulesOf(rules.length - MOST_RULES)}
        </Text>
      )}
      {kind === 'lost-events' && <EntityLink entity={subject} />}
      {search !== null && <To href={search}>{shown.events}</To>}
      {typeof eventId === 'string' && <EventLink id={eventId}>{shown.event}</EventLink>}
    </Group>
  );
}
