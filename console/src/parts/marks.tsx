import { Badge, Tooltip } from '@mantine/core';
import {
  IconAlertTriangle,
  IconCheck,
  IconCircleDashed,
  IconHelp,
  IconInfoCircle,
  IconMinus,
  IconX,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { Delivery, Event } from '../api/types.js';
import { SHOWN } from '../words/shown-words.js';
import { useWords } from '../words/words.js';

const DELIVERY_COLOURS: Readonly<Record<Delivery['state'], string>> = {
  held: 'violet',
  deferred: 'gray',
  pending: 'blue',
  delivering: 'cyan',
  delivered: 'teal',
  dead: 'red',
  cancelled: 'gray',
};

/** The colour that a state of deliveries has everywhere, of the theme. */
export function deliveryColour(state: Delivery['state']): string {
  return DELIVERY_COLOURS[state];
}

export function DeliveryState({ state }: { readonly state: Delivery['state'] }) {
  const w = useWords(SHOWN);
  return (
    <Badge
      color={DELIVERY_COLOURS[state]}
      variant={state === 'dead' || state === 'held' ? 'filled' : 'light'}
    >
      {w[state]}
    </Badge>
  );
}

export function EventState({ state, reason }: Pick<Event, 'state' | 'reason'>) {
  const w = useWords(SHOWN);
  const colour = state === 'quarantined' ? 'red' : state === 'decided' ? 'teal' : 'gray';
  const badge = (
    <Badge color={colour} variant={state === 'quarantined' ? 'filled' : 'light'}>
      {w[state]}
    </Badge>
  );
  return reason === null ? badge : <Tooltip label={reason}>{badge}</Tooltip>;
}

export type Standing =
  'matched' | 'near miss' | 'not matched' | 'unknown' | 'error' | 'skipped' | 'not listening';

const STANDINGS: Readonly<
  Record<
    Standing,
    { readonly colour: string; readonly icon: ReactNode; readonly word: keyof typeof SHOWN.en }
  >
> = {
  matched: { colour: 'teal', icon: <IconCheck size={14} />, word: 'matched' },
  'near miss': { colour: 'orange', icon: <IconX size={14} />, word: 'nearMiss' },
  'not matched': { colour: 'gray', icon: <IconX size={14} />, word: 'notMatched' },
  unknown: { colour: 'yellow', icon: <IconHelp size={14} />, word: 'unknown' },
  error: { colour: 'red', icon: <IconAlertTriangle size={14} />, word: 'error' },
  skipped: { colour: 'gray', icon: <IconMinus size={14} />, word: 'skipped' },
  'not listening': { colour: 'gray', icon: <IconCircleDashed size={14} />, word: 'notListening' },
};

/** How a rule stands to an event: a verdict, and a near miss apart. */
export function VerdictMark({ standing }: { readonly standing: Standing }) {
  const w = useWords(SHOWN);
  const { colour, icon, word } = STANDINGS[standing];
  return (
    <Badge color={colour} variant="light" leftSection={icon}>
      {w[word]}
    </Badge>
  );
}

const SEVERITIES = {
  error: { colour: 'red', icon: <IconX size={14} /> },
  warning: { colour: 'orange', icon: <IconAlertTriangle size={14} /> },
  info: { colour: 'blue', icon: <IconInfoCircle size={14} /> },
} as const;

export function SeverityMark({ severity }: { readonly severity: 'error' | 'warning' | 'info' }) {
  const w = useWords(SHOWN);
  const { colour, icon } = SEVERITIES[severity];
  return (
    <Badge color={colour} variant="light" leftSection={icon} flex="none">
      {w[severity]}
    </Badge>
  );
}
