import { Badge, Group, Text } from '@mantine/core';
import type { MouseEvent } from 'react';
import { Link } from 'wouter';
import type { Delivery, Target } from '../../api/types.js';
import { deliveryColour } from '../../parts/marks.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';

const STANDING = ['dead', 'held', 'pending', 'delivering', 'deferred'] as const;

/** The address of the list of deliveries in a state, of one target or of all. */
export function deliveriesAt(state: Delivery['state'], target?: string): string {
  const query = new URLSearchParams({ state, ...(target === undefined ? {} : { target }) });
  return `/deliveries?${query}`;
}

/** How many deliveries to a target stand in each state that is not the end, each a way to them. */
export function StateCounts({ target }: { readonly target: Target }) {
  const w = useWords(SHOWN);
  const counted = STANDING.filter((state) => target[state] > 0);
  if (counted.length === 0)
    return (
      <Text span fz="sm" c="dimmed">
        –
      </Text>
    );
  // A name that is hidden from viewers finds nothing.
  const masked = target.target.includes('•••');
  return (
    <Group gap={4}>
      {counted.map((state) => {
        const look = {
          color: deliveryColour(state),
          variant: state === 'dead' || state === 'held' ? 'filled' : 'light',
          tt: 'none',
          size: 'lg',
          fw: 600,
        } as const;
        const text = `${w[state]} ${target[state]}`;
        return masked ? (
          <Badge key={state} {...look}>
            {text}
          </Badge>
        ) : (
          <Badge
            key={state}
            {...look}
            component={Link}
            href={deliveriesAt(state, target.target)}
            style={{ cursor: 'pointer' }}
            onClick={(click: MouseEvent) => {
              click.stopPropagation();
            }}
          >
            {text}
          </Badge>
        );
      })}
    </Group>
  );
}
