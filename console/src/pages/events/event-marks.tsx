import { Badge, Group, Text, Tooltip } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconHelp, IconSend } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { Event } from '../../api/types.js';
import { useWords } from '../../words/words.js';
import { processPath } from './address.js';
import { EVENTS } from './words.js';
import './events.css';

/** What the rules said of an event, as small counts; nothing where there is nothing to say. */
export function VerdictCounts({ matched, unknown, errors }: Pick<Event, 'matched' | 'unknown' | 'errors'>) {
  const w = useWords(EVENTS);
  if (matched === null)
    return (
      <Text span fz="xs" className="quiet">
        {w.notEvaluated}
      </Text>
    );
  const counts = [
    { count: matched, colour: 'teal', icon: <IconCheck size={12} />, text: w.matchedCount(matched) },
    { count: unknown, colour: 'yellow', icon: <IconHelp size={12} />, text: w.unknownCount(unknown ?? 0) },
    { count: errors, colour: 'red', icon: <IconAlertTriangle size={12} />, text: w.errorCount(errors ?? 0) },
  ].filter(({ count }) => count !== null && count > 0);
  if (counts.length === 0)
    return (
      <Text span fz="xs" className="quiet">
        {w.noneMatched}
      </Text>
    );
  return (
    <Group gap={4} display="inline-flex">
      {counts.map((one) => (
        <Count key={one.colour} {...one} />
      ))}
    </Group>
  );
}

export function DeliveryCount({ count }: { readonly count: number }) {
  const w = useWords(EVENTS);
  if (count === 0) return null;
  return <Count count={count} colour="blue" icon={<IconSend size={12} />} text={w.deliveryCount(count)} />;
}

function Count({
  count,
  colour,
  icon,
  text,
}: {
  readonly count: number | null;
  readonly colour: string;
  readonly icon: ReactNode;
  /** The whole of it, for the pointer and for those who hear it. */
  readonly text: string;
}) {
  return (
    <Tooltip label={text}>
      <Badge color={colour} variant="light" size="md" leftSection={icon} role="img" aria-label={text}>
        {count}
      </Badge>
    </Tooltip>
  );
}

/** A process, or another root entity, to be opened. */
export function EntityLink({ entity }: { readonly entity: string | null }) {
  const w = useWords(EVENTS);
  if (entity === null)
    return (
      <Text span fz="xs" className="quiet">
        {w.noEntity}
      </Text>
    );
  return (
    <Link
      href={processPath(entity)}
      className="entity"
      onClick={(click) => {
        click.stopPropagation();
      }}
    >
      <bdi>{entity}</bdi>
    </Link>
  );
}
