import { Box, Code, Group, Stack, Text } from '@mantine/core';
import type { Mark } from '../../parts/editor.js';
import { SeverityMark } from '../../parts/marks.js';
import { useWords } from '../../words/words.js';
import type { Finding } from './rule-facts.js';
import { RULES_WORDS } from './words.js';

/** What is wrong, where, and how to mend it. `file`: whether the file is named, because there are several. */
export function FindingList({
  findings,
  file = false,
}: {
  readonly findings: readonly Finding[];
  readonly file?: boolean;
}) {
  const w = useWords(RULES_WORDS);
  return (
    <Stack gap="sm" component="ul" m={0} p={0} style={{ listStyle: 'none' }}>
      {findings.map((one, at) => (
        <Box component="li" key={at}>
          <Group gap="xs" align="center">
            <SeverityMark severity={one.severity} />
            <Text span fz="sm" ff="monospace" style={{ overflowWrap: 'anywhere' }}>
              {file ? `${one.file}:${one.line}:${one.column}` : w.line(one.line)}
            </Text>
            <Code>{one.code}</Code>
          </Group>
          <Text fz="sm" mt={4} style={{ overflowWrap: 'anywhere' }}>
            {one.message}
          </Text>
          <Text fz="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
            {w.mend}: {one.mend}
          </Text>
        </Box>
      ))}
    </Stack>
  );
}

/** Findings as an editor marks them. A byte order mark before the first line is not counted by them. */
export function marksOf(findings: readonly Finding[], text: string): readonly Mark[] {
  const shift = text.startsWith('\ufeff') ? 1 : 0;
  return findings.map(({ line, column, length = 1, severity, code, message, mend }) => ({
    line,
    column: column + (line === 1 ? shift : 0),
    length,
    severity,
    message: `${code}: ${message}\n${mend}`,
  }));
}
