import { Accordion, Badge, Code, Group, List, Stack, Text, ThemeIcon } from '@mantine/core';
import { IconCheck, IconX } from '@tabler/icons-react';
import type { DrillAnswer } from '../../api/types.js';
import { RuleLink } from '../../parts/links.js';
import { shownDuration } from '../../parts/moment.js';
import { useWords } from '../../words/words.js';
import { TARGET_WORDS } from './words.js';

/** How each target did, step by step, those that do not work first and open. */
export function DrillResults({ answer }: { readonly answer: DrillAnswer }) {
  const w = useWords(TARGET_WORDS);
  const items = [...answer.items].sort((a, b) => Number(a.ok) - Number(b.ok));
  const failed = items.filter(({ ok }) => !ok);
  const causes: Readonly<Record<string, string>> = {
    DRILL_RECEIVER_FROM_EVENT: w.DRILL_RECEIVER_FROM_EVENT,
    DRILL_NOT_RENDERED: w.DRILL_NOT_RENDERED,
  };
  return (
    <Stack gap="sm">
      <Group gap="xs" role="status">
        {failed.length > 0 && (
          <Badge color="red" tt="none" size="lg" leftSection={<IconX size={14} />}>
            {w.notPassed(failed.length)}
          </Badge>
        )}
        {items.length > failed.length && (
          <Badge color="teal" tt="none" size="lg" variant="light" leftSection={<IconCheck size={14} />}>
            {w.passed(items.length - failed.length)}
          </Badge>
        )}
      </Group>
      <Accordion
        multiple
        variant="separated"
        order={3}
        defaultValue={items.length === 1 ? items.map((one) => one.target) : failed.map((one) => one.target)}
      >
        {items.map(({ target, ok, steps }) => (
          <Accordion.Item key={target} value={target}>
            <Accordion.Control icon={<Sign ok={ok} label={ok ? w.ok : w.notOk} />}>
              <Text size="sm" fw={500} style={{ overflowWrap: 'anywhere' }}>
                {target}
              </Text>
            </Accordion.Control>
            <Accordion.Panel>
              <List type="ordered" listStyleType="none" spacing={6} size="sm">
                {steps.map((step) => (
                  <List.Item key={step.step} icon={<Sign ok={step.ok} label={step.ok ? w.ok : w.notOk} />}>
                    <Text span inherit fw={500}>
                      {w[`step_${step.step}`]}
                    </Text>{' '}
                    {step.code !== null && <Code>{step.code}</Code>}{' '}
                    <Text span fz="xs" c="dimmed">
                      {shownDuration(step.ms)}
                    </Text>
                    <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
                      {step.detail}
                    </Text>
                  </List.Item>
                ))}
              </List>
            </Accordion.Panel>
          </Accordion.Item>
        ))}
      </Accordion>
      {answer.left.length > 0 && (
        <Stack gap={4}>
          <Text size="sm" fw={600}>
            {w.left}
          </Text>
          {answer.left.map(({ rule, action, code }) => (
            <Text key={`${rule} ${action}`} size="sm">
              <RuleLink name={rule} /> · {action}: {causes[code] ?? ''} <Code>{code}</Code>
            </Text>
          ))}
        </Stack>
      )}
      {answer.more > 0 && <Text size="sm">{w.beyond(answer.more)}</Text>}
    </Stack>
  );
}

/** ✓ or ✗. */
function Sign({ ok, label }: { readonly ok: boolean; readonly label: string }) {
  return (
    <ThemeIcon size="sm" radius="xl" color={ok ? 'teal' : 'red'} role="img" aria-label={label}>
      {ok ? <IconCheck size={12} /> : <IconX size={12} />}
    </ThemeIcon>
  );
}
