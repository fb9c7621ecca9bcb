import { Box, Table, Text } from '@mantine/core';
import type { ReactNode } from 'react';

export function Facts({ children }: { readonly children: ReactNode }) {
  return (
    <Table layout="fixed" verticalSpacing={6} withRowBorders={false}>
      <Table.Tbody>{children}</Table.Tbody>
    </Table>
  );
}

/** One thing that is known, and what it means when its name does not say it. */
export function Fact({
  title,
  about,
  children,
}: {
  readonly title: string;
  readonly about?: string;
  readonly children: ReactNode;
}) {
  return (
    <Table.Tr>
      <Table.Th w={110} fz="sm" style={{ verticalAlign: 'top' }}>
        {title}
      </Table.Th>
      <Table.Td fz="sm" style={{ overflowWrap: 'anywhere' }}>
        <Box>{children}</Box>
        {about !== undefined && (
          <Text size="xs" c="dimmed">
            {about}
          </Text>
        )}
      </Table.Td>
    </Table.Tr>
  );
}
