import { Badge, Card, Table, Text, Title } from '@mantine/core';
import type { EventDetail, Fact } from '../../api/types.js';
import { exactMoment } from '../../parts/moment.js';
import { useWords } from '../../words/words.js';
import { useEventType } from './known-types.js';
import { Value } from './values.js';
import { FactName } from './why.js';
import { EVENTS } from './words.js';

/** Facts that every event has, whatever its type. */
const ENVELOPE = new Set([
  'event_type',
  'event_id',
  'create_time',
  'app_id',
  'tenant_key',
  'source',
  'cloudevent',
]);

/** What rules may read of the event, in the words of the catalogue. */
export function EventFields({ event }: { readonly event: EventDetail }) {
  const w = useWords(EVENTS);
  const own = event.facts.filter(({ name }) => !ENVELOPE.has(name));
  const envelope = event.facts.filter(({ name, value }) => ENVELOPE.has(name) && value !== null);
  return (
    <Card withBorder padding="md">
      <Title order={2} fz="h4" mb="xs">
        {w.fields}
      </Title>
      <Table verticalSpacing={5} fz="sm" layout="fixed" aria-label={w.fields}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{w.fact}</Table.Th>
            <Table.Th>{w.value}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {own.map((fact) => (
            <FactRow key={fact.name} fact={fact} eventType={event.eventType} />
          ))}
        </Table.Tbody>
        <Table.Tbody>
          <Table.Tr>
            <Table.Th colSpan={2} scope="rowgroup" fz="xs" className="quiet">
              {w.envelope}
            </Table.Th>
          </Table.Tr>
          {envelope.map((fact) => (
            <FactRow key={fact.name} fact={fact} eventType={event.eventType} />
          ))}
        </Table.Tbody>
      </Table>
    </Card>
  );
}

function FactRow({ fact, eventType }: { readonly fact: Fact; readonly eventType: string }) {
  const w = useWords(EVENTS);
  const { name, label, value, valueLabel, personal } = fact;
  return (
    <Table.Tr>
      <Table.Td style={{ verticalAlign: 'top' }}>
        <FactName fact={name} label={label} />
        {personal && (
          <Badge size="xs" color="gray" variant="light" ml={4}>
            {w.personal}
          </Badge>
        )}
      </Table.Td>
      <Table.Td style={{ verticalAlign: 'top', overflowWrap: 'anywhere' }}>
        <Value value={value} label={valueLabel} />
        <AsTime fact={fact} eventType={eventType} />
      </Table.Td>
    </Table.Tr>
  );
}

/** Of a field that is a time: the time, as people read it. */
function AsTime({ fact: { name, value }, eventType }: { readonly fact: Fact; readonly eventType: string }) {
  const fields = useEventType(eventType)?.fields ?? {};
  const format =
    name === 'create_time'
      ? 'epoch-milliseconds'
      : Object.hasOwn(fields, name)
        ? fields[name]?.format
        : undefined;
  if (format === undefined || (typeof value !== 'string' && typeof value !== 'number') || value === '')
    return null;
  const time =
    format === 'date-time'
      ? new Date(value)
      : new Date(Number(value) * (format === 'epoch-seconds' ? 1000 : 1));
  if (Number.isNaN(time.getTime())) return null;
  return (
    <Text size="xs" className="quiet">
      {exactMoment(time.getTime())}
    </Text>
  );
}
