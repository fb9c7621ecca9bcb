import { Button, Group, Text } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { Link } from 'wouter';
import { segment } from '../../api/client.js';
import { useAnswer } from '../../api/queries.js';
import type { Entity, EventDetail } from '../../api/types.js';
import { useWords } from '../../words/words.js';
import { eventPath } from './address.js';
import { EVENTS } from './words.js';

/** The events of the same process that happened before and after this one, of its last fifty. */
export function Neighbours({ event }: { readonly event: EventDetail }) {
  const w = useWords(EVENTS);
  const { data } = useAnswer<Entity>(
    `/entities/${segment(event.rootEntity ?? '')}`,
    {},
    { when: event.rootEntity !== null },
  );
  const timeOf = (one: Entity['events'][number]): string => one.createTime ?? one.receivedAt;
  const ordered = [...(data?.events ?? [])].sort((a, b) =>
    timeOf(a) < timeOf(b) ? -1 : timeOf(a) > timeOf(b) ? 1 : a.id < b.id ? -1 : 1,
  );
  const here = ordered.findIndex(({ id }) => id === event.id);
  if (here < 0 || ordered.length < 2) return null;
  const [before, after] = [ordered[here - 1], ordered[here + 1]];
  return (
    <Group gap={4} wrap="nowrap" component="nav" aria-label={w.sameProcess}>
      <Step to={before?.id} label={w.earlier} icon={<IconChevronLeft size={16} />} />
      <Text size="xs" className="quiet" style={{ whiteSpace: 'nowrap' }}>
        {here + 1} / {ordered.length}
      </Text>
      <Step to={after?.id} label={w.later} icon={<IconChevronRight size={16} />} />
    </Group>
  );
}

function Step({
  to,
  label,
  icon,
}: {
  readonly to: string | undefined;
  readonly label: string;
  readonly icon: React.ReactNode;
}) {
  if (to === undefined)
    return (
      <Button variant="default" size="xs" px={8} disabled aria-label={label}>
        {icon}
      </Button>
    );
  return (
    <Button
      component={Link}
      href={eventPath(to)}
      variant="default"
      size="xs"
      px={8}
      aria-label={label}
      title={label}
    >
      {icon}
    </Button>
  );
}
