import { Table, Text } from '@mantine/core';

/** What a request says of itself, a line each. Those that are empty are left out. */
export function RequestTable({
  rows,
}: {
  readonly rows: readonly (readonly [title: string, value: string])[];
}) {
  return (
    <Table layout="fixed" verticalSpacing={5}>
      <Table.Tbody>
        {rows
          .filter(([, value]) => value !== '')
          .map(([title, value]) => (
            <Table.Tr key={title}>
              <Table.Th w={110} fz="sm">
                {title}
              </Table.Th>
              <Table.Td>
                <Text size="sm" style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>
                  {value}
                </Text>
              </Table.Td>
            </Table.Tr>
          ))}
      </Table.Tbody>
    </Table>
  );
}
