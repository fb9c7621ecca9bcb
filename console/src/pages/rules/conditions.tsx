import { Badge, Box, Code, Group, Stack, Text } from '@mantine/core';
import type { RuleTable } from '../../api/types.js';
import { useLabel, useWords } from '../../words/words.js';
import { RULES_WORDS } from './words.js';

type Line = RuleTable['conditions'][number];
type Part = Line['parts'][number];

/** A name or value, with what the catalogue calls it before it. */
function PartText({ part }: { readonly part: Part }) {
  const label = useLabel()(part.label);
  return (
    <Text span inherit>
      {label !== null && `${label} `}
      <Code style={{ overflowWrap: 'anywhere' }}>{part.text}</Code>
    </Text>
  );
}

/** The conditions as an outline: groups, and in them one leaf a line in the words of the catalogue. */
export function Conditions({ lines }: { readonly lines: RuleTable['conditions'] }) {
  const w = useWords(RULES_WORDS);
  const groups = { all: w.allHold, any: w.anyHolds, not: w.notHolds, named: w.namedHolds } as const;
  return (
    <Stack gap={6} component="ul" m={0} p={0} style={{ listStyle: 'none' }}>
      {lines.map(({ depth, kind, name, parts }, at) => (
        <Box component="li" key={at} pl={depth * 20} fz="sm" style={{ overflowWrap: 'anywhere' }}>
          {kind === 'leaf' ? (
            <Leaf parts={parts} name={name} />
          ) : (
            <Group gap={6}>
              <Badge variant="default" size="sm" tt="none">
                {groups[kind]}
              </Badge>
              {name !== null && <Code>{name}</Code>}
            </Group>
          )}
        </Box>
      ))}
    </Stack>
  );
}

function Leaf({ parts, name }: { readonly parts: readonly Part[]; readonly name: string | null }) {
  const labelOf = useLabel();
  const [fact, operator, ...values] = parts;
  return (
    <>
      {name !== null && <Code mr={6}>{name}</Code>}
      {fact && <PartText part={fact} />}{' '}
      {operator && (
        <Text span inherit fw={600}>
          {labelOf(operator.label) ?? operator.text}
        </Text>
      )}{' '}
      {values.map((value, at) => (
        <span key={at}>
          {at > 0 && ', '}
          <PartText part={value} />
        </span>
      ))}
    </>
  );
}
