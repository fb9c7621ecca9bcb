import { Box, Button, Card, Center, Group, Skeleton, Stack, Table, Text } from '@mantine/core';
import { type KeyboardEvent, type ReactNode, useRef } from 'react';
import { SHOWN } from '../words/shown-words.js';
import { useWords } from '../words/words.js';
import { Problem } from './problem.js';
import { useNarrow } from './narrow.js';
import './list.css';

export interface Column<T> {
  /** Of the column; its heading. */
  readonly title: string;
  readonly cell: (row: T) => ReactNode;
  /** Not worth its place on a phone. */
  readonly wide?: boolean;
  readonly width?: string | number;
  /** Where there is room: on one line, cut at so many pixels. Names and ids are told apart at a glance. */
  readonly oneLine?: number;
  readonly align?: 'left' | 'right';
}

export interface ListProps<T> {
  /** What it is a list of, for those who hear it. */
  readonly label: string;
  /** Null: they are not there yet. */
  readonly rows: readonly T[] | null;
  readonly columns: readonly Column<T>[];
  readonly keyOf: (row: T) => string;
  /** With Enter or a click. */
  readonly open?: (row: T) => void;
  readonly error?: unknown;
  readonly retry?: () => void;
  readonly empty?: ReactNode;
  /** There are more: fetches them. */
  readonly more?: (() => void) | undefined;
  readonly loadingMore?: boolean;
  /** Beside a row, or above all: to choose. */
  readonly chosen?: (row: T) => boolean;
}

/**
 * A list of rows, on a phone of cards. One row has the focus: j and k, or the arrows, move it, Enter opens it.
 */
export function List<T>(props: ListProps<T>) {
  const { label, rows, columns, keyOf, open, error, retry, empty, more, loadingMore = false } = props;
  const w = useWords(SHOWN);
  const narrow = useNarrow();
  const body = useRef<HTMLDivElement>(null);

  if (error !== undefined && error !== null) return <Problem error={error} {...(retry ? { retry } : {})} />;
  if (rows === null)
    return (
      <Stack gap="xs" aria-busy="true" aria-label={w.loading}>
        {[0, 1, 2, 3, 4].map((one) => (
          <Skeleton key={one} height={34} />
        ))}
      </Stack>
    );
  if (rows.length === 0)
    return (
      <Center py="xl">
        <Text c="dimmed" component="div">
          {empty ?? w.nothing}
        </Text>
      </Center>
    );

  const onKey = (key: KeyboardEvent<HTMLElement>, row: T): void => {
    // Keys in a button or a field of the row are its own.
    if (key.target !== key.currentTarget) return;
    const all = [...(body.current?.querySelectorAll<HTMLElement>('[data-row]') ?? [])];
    const here = all.indexOf(key.currentTarget);
    const step =
      key.key === 'j' || key.key === 'ArrowDown' ? 1 : key.key === 'k' || key.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) all[here + step]?.focus();
    else if ((key.key === 'Enter' || key.key === ' ') && open) open(row);
    else return;
    key.preventDefault();
  };
  const rowProps = (row: T) => ({
    'data-row': '',
    ...(open
      ? {
          tabIndex: 0,
          onClick: () => {
            // Whoever marks a text in a row does not want to open it.
            if (document.getSelection()?.type !== 'Range') open(row);
          },
          onKeyDown: (key: KeyboardEvent<HTMLElement>) => {
            onKey(key, row);
          },
          style: { cursor: 'pointer' },
        }
      : {}),
  });

  return (
    <Box ref={body}>
      {narrow ? (
        <Stack gap="xs" role="list" aria-label={label}>
          {rows.map((row) => (
            <Card key={keyOf(row)} withBorder padding="sm" role="listitem" {...rowProps(row)}>
              <Stack gap={4}>
                {columns
                  .filter(({ wide }) => wide !== true)
                  .map(({ title, cell }) => (
                    <Group key={title} gap="xs" wrap="nowrap" align="baseline">
                      {title !== '' && (
                        <Text size="xs" c="dimmed" w={88} style={{ flex: 'none' }}>
                          {title}
                        </Text>
                      )}
                      <Box miw={0} fz="sm" style={{ overflowWrap: 'anywhere' }}>
                        {cell(row)}
                      </Box>
                    </Group>
                  ))}
              </Stack>
            </Card>
          ))}
        </Stack>
      ) : (
        <Table.ScrollContainer minWidth={600}>
          <Table highlightOnHover={open !== undefined} verticalSpacing={6} aria-label={label}>
            <Table.Thead>
              <Table.Tr>
                {columns.map(({ title, width, align = 'left' }) => (
                  <Table.Th key={title} w={width} ta={align}>
                    {title}
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {rows.map((row) => (
                <Table.Tr key={keyOf(row)} {...rowProps(row)}>
                  {columns.map(({ title, cell, align = 'left', oneLine }) => (
                    <Table.Td
                      key={title}
                      ta={align}
                      fz="sm"
                      {...(oneLine === undefined ? {} : { className: 'one-line', maw: oneLine })}
                    >
                      {cell(row)}
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {more && (
        <Center mt="sm">
          <Button variant="subtle" onClick={more} loading={loadingMore}>
            {w.more}
          </Button>
        </Center>
      )}
    </Box>
  );
}
