import { Box, Text } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconHelp, IconX } from '@tabler/icons-react';
import type { ExplainedLeaf, ExplainedNode } from '../../api/types.js';
import { useWords } from '../../words/words.js';
import { Value } from './values.js';
import { FactName, needsExact, Wanted } from './why.js';
import { EVENTS } from './words.js';
import './condition-tree.css';

type Outcome = ExplainedNode['outcome'];

/** The conditions of a rule with what came out of each: what holds, what does not, and what the event really had. */
export function ConditionTree({ tree, label }: { readonly tree: ExplainedNode; readonly label: string }) {
  return (
    <ul className="tree" aria-label={label}>
      <Branch node={tree} />
    </ul>
  );
}

function Branch({ node }: { readonly node: ExplainedNode }) {
  const w = useWords(EVENTS);
  if (node.kind === 'leaf') return <Leaf leaf={node} />;
  const words = { all: w.all_, any: w.any_, not: w.not_ } as const;
  const children = node.kind === 'not' ? [node.child] : node.children;
  return (
    <li data-outcome={node.outcome}>
      <div className="condition">
        <OutcomeMark outcome={node.outcome} />
        <Text span inherit fw={600}>
          {words[node.kind]}
        </Text>
        {node.name !== null && <ConditionName name={node.name} />}
      </div>
      {children.length > 0 && (
        <ul>
          {children.map((child, at) => (
            <Branch key={at} node={child} />
          ))}
        </ul>
      )}
    </li>
  );
}

function Leaf({ leaf }: { readonly leaf: ExplainedLeaf }) {
  const w = useWords(EVENTS);
  const { fact, path, labels, actual, outcome, failing, error, name } = leaf;
  return (
    <li data-outcome={outcome} data-failing={failing}>
      <div className="condition">
        <OutcomeMark outcome={outcome} />
        <Box miw={0} style={{ flex: 1 }}>
          <div className="anywhere">
            <FactName fact={fact} path={path} label={labels.field} /> <Wanted leaf={leaf} />
            {name !== null && <ConditionName name={name} />}
          </div>
          <div className="actual anywhere">
            {w.actual}{' '}
            <Text span inherit fw={failing ? 650 : 400}>
              <Value value={actual} label={labels.actual} exact={needsExact(leaf)} />
            </Text>
          </div>
          {error !== null && (
            <Text size="xs" c="red" className="anywhere">
              {error}
            </Text>
          )}
        </Box>
      </div>
    </li>
  );
}

function ConditionName({ name }: { readonly name: string }) {
  return (
    <Text span ff="monospace" fz="xs" className="condition-name" ml={6}>
      <bdi>{name}</bdi>
    </Text>
  );
}

const MARKS = {
  yes: { icon: IconCheck, word: 'holds' },
  no: { icon: IconX, word: 'holdsNot' },
  unknown: { icon: IconHelp, word: 'undecidable' },
  error: { icon: IconAlertTriangle, word: 'failed' },
} as const;

function OutcomeMark({ outcome }: { readonly outcome: Outcome }) {
  const w = useWords(EVENTS);
  const { icon: Icon, word } = MARKS[outcome];
  return (
    <span className="outcome" role="img" aria-label={w[word]} title={w[word]}>
      <Icon size={16} stroke={2.4} aria-hidden />
    </span>
  );
}
