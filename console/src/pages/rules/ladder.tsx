import { Box, Group, Stack, Text, Timeline } from '@mantine/core';
import { IconAlarm, IconPlayerPlay } from '@tabler/icons-react';
import type { RuleTable } from '../../api/types.js';
import { useLanguage, useWords } from '../../words/words.js';
import { durationWords } from '../../words/duration-words.js';
import { KindIcon } from './action-kind.js';
import { RULES_WORDS } from './words.js';

/** Actions, one a line. */
export function ActionLines({ actions }: { readonly actions: RuleTable['actions'] }) {
  return (
    <Stack gap={6} component="ul" m={0} p={0} style={{ listStyle: 'none' }}>
      {actions.map(({ name, kind, text }) => (
        <Group component="li" key={name} gap={8} wrap="nowrap" align="flex-start">
          <Box pt={2} style={{ flex: 'none' }}>
            <KindIcon kind={kind} />
          </Box>
          <Box miw={0} fz="sm" style={{ overflowWrap: 'anywhere' }}>
            <Text span inherit fw={600}>
              {name}
            </Text>{' '}
            <Text span c="dimmed" fz="xs">
              {kind}
            </Text>
            <Text fz="sm" ff="monospace">
              {text}
            </Text>
          </Box>
        </Group>
      ))}
    </Stack>
  );
}

/** The steps of an escalation as rungs: what goes out when, as long as nothing cancels it. */
export function Ladder({ steps }: { readonly steps: RuleTable['steps'] }) {
  const w = useWords(RULES_WORDS);
  const { language } = useLanguage();
  return (
    <>
      <Text fz="sm" c="dimmed" mb="sm">
        {w.unlessCancelled}
      </Text>
      <Timeline bulletSize={26} lineWidth={2} active={steps.length} color="teal">
        <Timeline.Item
          bullet={<IconPlayerPlay size={14} aria-hidden />}
          title={
            <Text span fz="sm" fw={600}>
              {w.armed}
            </Text>
          }
        >
          <Text fz="sm" c="dimmed">
            {w.armedAbout}
          </Text>
        </Timeline.Item>
        {steps.map(({ name, after, actions }) => (
          <Timeline.Item
            key={name}
            bullet={<IconAlarm size={14} aria-hidden />}
            title={
              <Text span fz="sm" fw={600}>
                {w.after(durationWords(after, language))}
                {name !== after && ` · ${name}`}
              </Text>
            }
          >
            <Box mt={4}>
              <ActionLines actions={actions} />
            </Box>
          </Timeline.Item>
        ))}
      </Timeline>
    </>
  );
}
