import { Anchor, Badge, Card, Group, Stack, Table, Text, Title } from '@mantine/core';
import { IconCalendarRepeat, IconPackage, IconSend, IconStairs } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { segment } from '../../api/client.js';
import type { Overview } from '../../api/types.js';
import { EntityLink, RuleLink, To } from '../../parts/links.js';
import { Moment } from '../../parts/moment.js';
import { useWords } from '../../words/words.js';
import { OVERVIEW_WORDS } from './words.js';

type Next = Overview['next'][number];

const ICONS: Readonly<Record<Next['what'], ReactNode>> = {
  step: <IconStairs size={14} />,
  delivery: <IconSend size={14} />,
  schedule: <IconCalendarRepeat size={14} />,
  digest: <IconPackage size={14} />,
};

/** Where what goes out next can be looked at. */
function placeOf({ what, rule, id, entity }: Next): string {
  if (what === 'step')
    return `/timers?${new URLSearchParams({ rule, ...(entity === null ? {} : { entity }) })}`;
  if (what === 'delivery' && id !== null) return `/deliveries/${segment(id)}`;
  return `/rules/${segment(rule)}`;
}

/** Steps, deliveries, schedules and digests that are due next, as a table in the order of time. */
export function NextOut({ next }: { readonly next: Overview['next'] }) {
  const w = useWords(OVERVIEW_WORDS);
  return (
    <Card withBorder padding="sm" component="section" aria-labelledby="next">
      <Group justify="space-between" mb={4}>
        <Title order={2} fz="h4" id="next">
          {w.next}
        </Title>
        <Anchor component={Link} href="/timers" size="sm">
          {w.allTimers}
        </Anchor>
      </Group>
      {next.length === 0 ? (
        <Text size="sm" c="dimmed">
          {w.nextNothing}
        </Text>
      ) : (
        <Table verticalSpacing={4} horizontalSpacing={6} aria-labelledby="next">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{w.when}</Table.Th>
              <Table.Th>{w.what}</Table.Th>
              <Table.Th>{w.where}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {next.map((one, index) => (
              // Schedules have no id, and the same one may come twice.
              <Table.Tr key={`${one.at} ${one.rule} ${one.id ?? index}`}>
                <Table.Td fw={600} fz="sm">
                  <Moment time={one.at} />
                </Table.Td>
                <Table.Td fz="sm">
                  <Group gap={6}>
                    <Badge variant="light" color="blue" tt="none" leftSection={ICONS[one.what]}>
                      {w[one.what]}
                    </Badge>
                    {one.name !== null && <To href={placeOf(one)}>{one.name}</To>}
                  </Group>
                </Table.Td>
                <Table.Td fz="sm" style={{ overflowWrap: 'anywhere' }}>
                  <Stack gap={0}>
                    <RuleLink name={one.rule} />
                    {one.entity !== null && (
                      <Text span fz="xs">
                        <EntityLink entity={one.entity} />
                      </Text>
                    )}
                  </Stack>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Card>
  );
}
