import { Card, Code, Grid, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import type { RuleAnswer } from '../../api/types.js';
import { useLanguage, useWords } from '../../words/words.js';
import { Conditions } from './conditions.js';
import { ActionLines, Ladder } from './ladder.js';
import { Sentence } from './sentence.js';
import { RULES_WORDS } from './words.js';

export function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <Card withBorder component="section" aria-label={title}>
      <Title order={2} fz="h4" mb="sm">
        {title}
      </Title>
      {children}
    </Card>
  );
}

/** The rule in words, and the same line by line. */
export function SentenceTab({ rule }: { readonly rule: RuleAnswer }) {
  const w = useWords(RULES_WORDS);
  const { language } = useLanguage();
  const { conditions, actions, steps, lookups } = rule.table;
  return (
    <Grid gap="md" align="flex-start">
      <Grid.Col span={{ base: 12, lg: 7 }}>
        <Section title={w.sentence}>
          <Sentence text={rule.sentence[language]} size="md" />
        </Section>
      </Grid.Col>
      <Grid.Col span={{ base: 12, lg: 5 }}>
        <Stack>
          <Section title={w.conditions}>
            <Conditions lines={conditions} />
          </Section>
          {(actions.length > 0 || steps.length === 0) && (
            <Section title={w.actions}>
              {actions.length > 0 ? <ActionLines actions={actions} /> : <Text fz="sm">{w.noActions}</Text>}
            </Section>
          )}
          {steps.length > 0 && (
            <Section title={w.escalation}>
              <Ladder steps={steps} />
            </Section>
          )}
          {lookups.length > 0 && (
            <Section title={w.lookups}>
              <Stack gap={6}>
                {lookups.map(({ name, text }) => (
                  <Text key={name} fz="sm" style={{ overflowWrap: 'anywhere' }}>
                    <Code>{name}</Code> {text}
                  </Text>
                ))}
              </Stack>
            </Section>
          )}
        </Stack>
      </Grid.Col>
    </Grid>
  );
}
