import { Box, Group, Text, Title } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';

/** The head of a page; its title is that of the browser's window too. */
export function PageHead({
  title,
  about,
  children,
}: {
  readonly title: string;
  readonly about?: ReactNode;
  /** What can be done here: to the right. */
  readonly children?: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · Aftersign`;
  }, [title]);
  return (
    <Group justify="space-between" align="flex-start" mb="md" gap="sm">
      <Box miw={0} style={{ flex: '1 1 20rem' }}>
        <Title order={1} fz="h2" style={{ overflowWrap: 'anywhere' }}>
          {title}
        </Title>
        {about !== undefined && (
          <Text c="dimmed" size="sm" component="div" style={{ overflowWrap: 'anywhere' }}>
            {about}
          </Text>
        )}
      </Box>
      {children !== undefined && <Group gap="xs">{children}</Group>}
    </Group>
  );
}
