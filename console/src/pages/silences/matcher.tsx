import { Badge, Box, Button, Collapse, Group, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useId } from 'react';
import type { Silence } from '../../api/types.js';
import { JsonText } from '../../parts/texts.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { SILENCE_WORDS } from './words.js';

/** What a silence is about, in one line; `any`: what is said when it names no part. */
export function matcherText({ rule, action, owner }: Silence['matcher'], any: string): string {
  return [rule, action, owner].filter((part) => part !== undefined).join(' · ') || any;
}

/** The parts of a matcher, and its conditions to be unfolded. */
export function Matcher({ matcher }: { readonly matcher: Silence['matcher'] }) {
  const w = useWords(SILENCE_WORDS);
  const shown = useWords(SHOWN);
  const [opened, { toggle }] = useDisclosure();
  const region = useId();
  const parts = [
    [shown.rule, matcher.rule],
    [shown.action, matcher.action],
    [shown.owner, matcher.owner],
  ] as const;
  const named = parts.filter(([, part]) => part !== undefined);
  return (
    <Stack gap={4} align="flex-start">
      <Group gap="sm">
        {named.length === 0 && <Text size="sm">{w.everyRule}</Text>}
        {named.map(([name, part]) => (
          <Group key={name} gap={4} wrap="nowrap">
            <Text span size="xs" c="dimmed">
              {name}
            </Text>
            <Badge
              variant="default"
              tt="none"
              ff="monospace"
              fw={500}
              size="lg"
              h="auto"
              styles={{ label: { whiteSpace: 'normal', overflowWrap: 'anywhere' } }}
            >
              {part}
            </Badge>
          </Group>
        ))}
      </Group>
      {matcher.conditions !== undefined && (
        <>
          <Button
            size="compact-xs"
            variant="subtle"
            onClick={toggle}
            aria-expanded={opened}
            aria-controls={region}
          >
            {opened ? w.hideConditions : w.showConditions}
          </Button>
          <Box id={region} w="100%">
            <Collapse expanded={opened}>
              {opened && <JsonText value={matcher.conditions} height={240} />}
            </Collapse>
          </Box>
        </>
      )}
    </Stack>
  );
}
