import { Box, Code, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { ExplainedLeaf, Label } from '../../api/types.js';
import { useLabel, useWords } from '../../words/words.js';
import { RULES_WORDS } from './words.js';

/** So many characters of a value are shown in a line. */
const MOST_SHOWN = 160;

/** A value as JSON, cut where it is long: JSON has no half of a character and nothing that moves the text. */
export function shortValue(value: unknown): string {
  const text = value === undefined ? '' : JSON.stringify(value);
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}…`;
}

function isList(label: ExplainedLeaf['labels']['actual']): label is readonly (Label | null)[] {
  return Array.isArray(label);
}

/** A value, and what the catalogue calls it. */
function Value({
  value,
  label,
}: {
  readonly value: unknown;
  readonly label: ExplainedLeaf['labels']['actual'];
}) {
  const labelOf = useLabel();
  const names = isList(label) ? label.map(labelOf).filter((one) => one !== null) : [labelOf(label)];
  const name = names.filter((one) => one !== null).join(', ');
  return (
    <Text span inherit>
      {name !== '' && `${name} · `}
      <Code style={{ overflowWrap: 'anywhere' }}>{shortValue(value)}</Code>
    </Text>
  );
}

/** One condition in the words of the catalogue, and what stood there: "status is done · 3, was rejected · 2". */
export function LeafWords({
  leaf,
  actual = true,
}: {
  readonly leaf: ExplainedLeaf;
  readonly actual?: boolean;
}) {
  const w = useWords(RULES_WORDS);
  const labelOf = useLabel();
  const { labels, other } = leaf;
  const nameOf = (fact: string, path: readonly string[] | null, label: Label | null): ReactNode => (
    <>
      {labelOf(label) !== null && `${labelOf(label) ?? ''} `}
      <Text span c={labelOf(label) === null ? undefined : 'dimmed'} ff="monospace" fz="0.9em">
        {[fact, ...(path ?? [])].join('.')}
      </Text>
    </>
  );
  return (
    <Box fz="sm" style={{ overflowWrap: 'anywhere' }}>
      {leaf.name !== null && <Code mr={6}>{leaf.name}</Code>}
      {nameOf(leaf.fact, leaf.path, labels.field)}{' '}
      <Text span inherit fw={600}>
        {!leaf.mustHold && `${w.mustNot} `}
        {labelOf(labels.operator) ?? leaf.operator}
      </Text>{' '}
      {other ? (
        nameOf(other.fact, other.path, labels.other)
      ) : (
        <Value value={leaf.expected} label={labels.expected} />
      )}
      {actual && (
        <>
          {' '}
          <Text span inherit>
            — {w.wasActual}{' '}
            {leaf.error !== null ? (
              <Code>{leaf.error}</Code>
            ) : leaf.actual === undefined ? (
              w.missing
            ) : (
              <Value value={leaf.actual} label={labels.actual} />
            )}
          </Text>
        </>
      )}
    </Box>
  );
}
