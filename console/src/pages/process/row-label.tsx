import { Text, Tooltip } from '@mantine/core';
import { IconAlarm } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { Entity, EntityNode } from '../../api/types.js';
import { useWords } from '../../words/words.js';
import { StatusText } from './status-text.js';
import type { Row } from './layout.js';
import { PROCESS } from './words.js';
import { SHOWN } from '../../words/shown-words.js';

/** What a row of the picture is about: beside it, so that it stays when the picture is moved. */
export function RowLabel({ row, entity }: { readonly row: Row; readonly entity: Entity }) {
  const w = useWords(PROCESS);
  const shown = useWords(SHOWN);
  switch (row.kind) {
    case 'process':
      return (
        <Label row={row} name={w.process}>
          {entity.status && <StatusText status={entity.status} />}
        </Label>
      );
    case 'node':
      return (
        <Label row={row} name={`${shown.node} ${row.node.id}`}>
          <Progress node={row.node} />
        </Label>
      );
    case 'no node':
      return <Label row={row} name={w.noNode} />;
    case 'task':
      return (
        <Label row={row} name={row.task.id}>
          <StatusText status={row.task.status} />
        </Label>
      );
    case 'ladder': {
      const { rule, subject } = row.timer;
      return (
        <Label row={row} name={rule}>
          <IconAlarm size={11} aria-hidden style={{ display: 'inline', verticalAlign: '-1px' }} />{' '}
          {subject.slice(subject.indexOf(':') + 1)}
        </Label>
      );
    }
    case 'deliveries':
      return <Label row={row} name={w.deliveries} />;
  }
}

function Label({
  row,
  name,
  children,
}: {
  readonly row: Row;
  readonly name: string;
  readonly children?: ReactNode;
}) {
  return (
    <div className="picture-label" data-kind={row.kind} style={{ height: row.height }}>
      <Text span size="xs" truncate title={name} className="picture-name">
        <bdi>{name}</bdi>
      </Text>
      {children !== undefined && (
        <Text span size="xs" component="div" className="picture-more">
          {children}
        </Text>
      )}
    </div>
  );
}

/** How far the countersigning of a node has come, of the tasks that were seen. */
function Progress({ node }: { readonly node: EntityNode }) {
  const w = useWords(PROCESS);
  const { seen, done, rejected, pending, cancelled, complete } = node;
  const parts = [
    { phase: 'done', count: done },
    { phase: 'rejected', count: rejected },
    { phase: 'cancelled', count: cancelled },
    { phase: 'open', count: pending },
  ].filter(({ count }) => count > 0);
  return (
    <Tooltip label={w.progressAbout(done, rejected, pending, cancelled)}>
      <div className="progress">
        <div
          className="progress-bar"
          role="img"
          aria-label={w.progressAbout(done, rejected, pending, cancelled)}
        >
          {parts.map(({ phase, count }) => (
            <div key={phase} data-phase={phase} style={{ flexGrow: count }} />
          ))}
        </div>
        <span>
          {done}/{seen}
          {complete === true && ' ✓'}
        </span>
      </div>
    </Tooltip>
  );
}
