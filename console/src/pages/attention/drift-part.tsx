import { Badge, Code, Text } from '@mantine/core';
import { useCatalogue, useAnswer } from '../../api/queries.js';
import type { Drift, Overview } from '../../api/types.js';
import { EventLink } from '../../parts/links.js';
import { type Column, List } from '../../parts/list.js';
import { Labelled } from '../../parts/texts.js';
import { useWords } from '../../words/words.js';
import { ATTENTION_WORDS } from './words.js';

const KINDS = {
  'unknown type': { word: 'driftKind_unknown_type', colour: 'red' },
  'unknown field': { word: 'driftKind_unknown_field', colour: 'blue' },
  'unknown value': { word: 'driftKind_unknown_value', colour: 'orange' },
  'wrong type': { word: 'driftKind_wrong_type', colour: 'red' },
  'missing field': { word: 'driftKind_missing_field', colour: 'orange' },
} as const satisfies Record<Drift['kind'], object>;

/** Where live events no longer fit the catalogue, the most frequent first. */
export function DriftPart() {
  const w = useWords(ATTENTION_WORDS);
  const catalogue = useCatalogue();
  const { data, error, refetch } = useAnswer<Overview>('/overview', {}, { every: 10_000 });
  const columns: readonly Column<Drift>[] = [
    {
      title: w.what,
      cell: ({ kind }) => (
        <Badge color={KINDS[kind].colour} variant="light" tt="none">
          {w[KINDS[kind].word]}
        </Badge>
      ),
    },
    {
      title: w.where,
      cell: ({ field, label }) =>
        field === null ? (
          <Text span size="sm" c="dimmed">
            {w.wholeType}
          </Text>
        ) : (
          <Labelled name={field} label={label} />
        ),
    },
    {
      title: w.value,
      cell: ({ value }) =>
        value === null ? (
          '–'
        ) : (
          <Code
            style={{
              overflowWrap: 'anywhere',
              display: 'inline-block',
              maxHeight: '6em',
              overflow: 'hidden',
            }}
          >
            {value}
          </Code>
        ),
    },
    {
      title: w.eventType,
      cell: ({ eventType }) => (
        <Labelled
          name={eventType}
          label={catalogue?.items.find((one) => one.eventType === eventType)?.label ?? null}
        />
      ),
    },
    { title: w.count, align: 'right', cell: ({ count }) => count },
    { title: w.last, cell: ({ eventId }) => <EventLink id={eventId}>{w.look}</EventLink> },
  ];
  return (
    <List
      label={w.drift}
      rows={data?.needsPerson.drift ?? null}
      columns={columns}
      keyOf={({ eventType, kind, field, value }) => `${eventType} ${kind} ${field ?? ''} ${value ?? ''}`}
      error={data ? null : error}
      retry={() => void refetch()}
      empty={w.driftNone}
    />
  );
}
