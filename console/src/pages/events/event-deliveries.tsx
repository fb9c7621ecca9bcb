import { Anchor, Card, Group, Stack, Text, Title } from '@mantine/core';
import { Link } from 'wouter';
import type { EventDetail } from '../../api/types.js';
import { DeliveryState } from '../../parts/marks.js';
import { Moment } from '../../parts/moment.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { EVENTS } from './words.js';

/** What went out because of the event, or is to go out. */
export function EventDeliveries({ event }: { readonly event: EventDetail }) {
  const w = useWords(EVENTS);
  const shown = useWords(SHOWN);
  return (
    <Card withBorder padding="md">
      <Title order={2} fz="h4" mb="xs">
        {shown.deliveries}
      </Title>
      {event.deliveries.length === 0 ? (
        <Text size="sm" className="quiet">
          {w.noDeliveries}
        </Text>
      ) : (
        <Stack gap="sm" component="ul" p={0} m={0} style={{ listStyle: 'none' }}>
          {event.deliveries.map(({ id, rule, action, target, state, attempt, updatedAt, code }) => (
            <li key={id}>
              <Group gap="xs" justify="space-between" wrap="nowrap" align="flex-start">
                <Anchor component={Link} href={`/deliveries/${id}`} size="sm" fw={600} className="anywhere">
                  {rule} · {action}
                </Anchor>
                <DeliveryState state={state} />
              </Group>
              <Text size="xs" className="quiet anywhere" component="div">
                <bdi>{target}</bdi> · {shown.attempts} {attempt} · <Moment time={updatedAt} />
                {code !== null && (
                  <Text span inherit ff="monospace">
                    {' '}
                    · {code}
                  </Text>
                )}
              </Text>
            </li>
          ))}
        </Stack>
      )}
    </Card>
  );
}
