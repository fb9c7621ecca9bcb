import { ActionIcon, Box, Code, CopyButton, Group, Text, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import type { Label } from '../api/types.js';
import { SHOWN } from '../words/shown-words.js';
import { useLabel, useWords } from '../words/words.js';

export function Copy({ text }: { readonly text: string }) {
  const w = useWords(SHOWN);
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? w.copied : w.copy}>
          <ActionIcon
            variant="subtle"
            color={copied ? 'teal' : 'gray'}
            size="sm"
            aria-label={w.copy}
            onClick={(click) => {
              click.stopPropagation();
              copy();
            }}
          >
            {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

/** An id in full, to be copied; in a list with its middle left out. */
export function Id({ text, short = false }: { readonly text: string; readonly short?: boolean }) {
  const shown = short && text.length > 18 ? `${text.slice(0, 8)}…${text.slice(-6)}` : text;
  return (
    <Group gap={4} wrap="nowrap" display="inline-flex" maw="100%">
      <Tooltip label={text} disabled={shown === text}>
        <Text span ff="monospace" fz="sm" style={{ overflowWrap: 'anywhere' }}>
          {shown}
        </Text>
      </Tooltip>
      {!short && <Copy text={text} />}
    </Group>
  );
}

/** What the catalogue calls it, and what it is called in rules. */
export function Labelled({ name, label }: { readonly name: string; readonly label: Label | null }) {
  const text = useLabel()(label);
  return text === null || text === name ? (
    <Code>{name}</Code>
  ) : (
    <Text span inherit>
      {text}{' '}
      <Text span c="dimmed" fz="xs" ff="monospace">
        {name}
      </Text>
    </Text>
  );
}

/** Any value as JSON has it, to read and to copy. Never more than its text. */
export function JsonText({ value, height = 400 }: { readonly value: unknown; readonly height?: number }) {
  const text = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value, null, 2);
  return (
    <Box pos="relative">
      <Box pos="absolute" top={6} right={6}>
        <Copy text={text} />
      </Box>
      <Code
        block
        mah={height}
        style={{ overflow: 'auto', overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}
        tabIndex={0}
      >
        {text}
      </Code>
    </Box>
  );
}
