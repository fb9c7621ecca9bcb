import { Box, List, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';

/** What a rule's sentence quotes, names in brackets or in backticks, or calls by its label. */
const PART = /"(?:[^"\\]|\\.)*"|`[^`]*`|[（(][\w.:*-]+[)）]|“[^”]*”|「[^」]*」/gu;

/** A line of a sentence: values stand out, names of the file stand back. */
function toned(line: string): readonly ReactNode[] {
  const parts: ReactNode[] = [];
  let at = 0;
  for (const found of line.matchAll(PART)) {
    const [text] = found;
    parts.push(line.slice(at, found.index));
    at = found.index + text.length;
    parts.push(
      /^[（(]/.test(text) ? (
        <Text key={found.index} span c="dimmed" ff="monospace" fz="0.85em">
          {text}
        </Text>
      ) : text.startsWith('`') ? (
        <Text key={found.index} span ff="monospace" fz="0.9em">
          {text.slice(1, -1)}
        </Text>
      ) : text.startsWith('"') ? (
        <Text key={found.index} span ff="monospace" fz="0.9em">
          {text}
        </Text>
      ) : (
        <Text key={found.index} span inherit fw={600}>
          {text}
        </Text>
      ),
    );
  }
  return [...parts, line.slice(at)];
}

/** A rule in words, as the service says it: paragraphs, and in them lines, of which some are items of a list. */
export function Sentence({ text, size = 'sm' }: { readonly text: string; readonly size?: string }) {
  return (
    <Stack gap="sm" fz={size} lh={1.65} style={{ overflowWrap: 'anywhere' }}>
      {text.split('\n\n').map((paragraph, at) => (
        <Box key={at}>{blocksOf(paragraph).map(blockShown)}</Box>
      ))}
    </Stack>
  );
}

interface Block {
  readonly item: boolean;
  readonly lines: string[];
}

function blocksOf(paragraph: string): readonly Block[] {
  const blocks: Block[] = [];
  for (const line of paragraph.split('\n')) {
    const item = line.startsWith('  - ');
    const last = blocks.at(-1);
    if (last?.item === item) last.lines.push(item ? line.slice(4) : line);
    else blocks.push({ item, lines: [item ? line.slice(4) : line] });
  }
  return blocks;
}

function blockShown({ item, lines }: Block, at: number): ReactNode {
  if (item)
    return (
      <List key={at} fz="inherit" my={2} withPadding>
        {lines.map((line, number) => (
          <List.Item key={number}>{toned(line)}</List.Item>
        ))}
      </List>
    );
  return lines.map((line, number) => <Box key={`${at} ${number}`}>{toned(line)}</Box>);
}

/** The first paragraph, which says what the rule does, without the rule's name, which stands above it. */
export function firstParagraph(sentence: string, name: string): string {
  const [first = ''] = sentence.split('\n\n');
  for (const head of [`规则 ${name}：`, `Rule ${name}: `])
    if (first.startsWith(head)) return first.slice(head.length);
  return first;
}
