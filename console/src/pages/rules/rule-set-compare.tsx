import { Badge, Card, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconMinus, IconPencil, IconPlus } from '@tabler/icons-react';
import { lazy, Suspense } from 'react';
import { segment } from '../../api/client.js';
import { useAnswer } from '../../api/queries.js';
import type { SaidRules } from '../../api/types.js';
import { RuleLink } from '../../parts/links.js';
import { Problem } from '../../parts/problem.js';
import { useLanguage, useWords } from '../../words/words.js';
import { documentText } from './rule-facts.js';
import { Sentence } from './sentence.js';
import { RULES_WORDS } from './words.js';

const WordDiff = lazy(() => import('./word-diff.js'));

type Said = SaidRules['rules'][number];

interface Difference {
  readonly key: string;
  readonly name: string;
  readonly condition: boolean;
  readonly before: Said | null;
  readonly after: Said | null;
}

/** What two rule sets say differently, rule by rule, and the named conditions too; in sentences. */
export function RuleSetCompare({ from, to }: { readonly from: string; readonly to: string }) {
  const w = useWords(RULES_WORDS);
  const one = useAnswer<SaidRules>(`/rule-sets/${segment(from)}/rules`);
  const other = useAnswer<SaidRules>(`/rule-sets/${segment(to)}/rules`);
  const error = one.error ?? other.error;
  if (error)
    return (
      <Problem
        error={error}
        retry={() => {
          void one.refetch();
          void other.refetch();
        }}
      />
    );
  if (!one.data || !other.data) return <Skeleton height={200} aria-busy="true" />;
  const differences = [
    ...differencesOf(one.data.rules, other.data.rules, false),
    ...differencesOf(one.data.conditions, other.data.conditions, true),
  ];
  const before = new Map(one.data.rules.map((rule) => [rule.name, rule]));
  const same = other.data.rules.filter((rule) => {
    const earlier = before.get(rule.name);
    return earlier !== undefined && documentText(earlier.document) === documentText(rule.document);
  }).length;
  return (
    <Stack>
      <Text fz="sm" role="status">
        {differences.length === 0 ? w.noDifference : w.ruleSetSame(same)}
      </Text>
      {differences.map((difference) => (
        <DifferenceCard key={difference.key} difference={difference} live={other.data.live} />
      ))}
    </Stack>
  );
}

function differencesOf(
  before: readonly Said[],
  after: readonly Said[],
  condition: boolean,
): readonly Difference[] {
  const names = [...new Set([...before, ...after].map(({ name }) => name))].sort();
  return names.flatMap((name): readonly Difference[] => {
    const [was, is] = [before, after].map((all) => all.find((one) => one.name === name) ?? null);
    if (was && is && documentText(was.document) === documentText(is.document)) return [];
    const key = `${condition ? 'condition' : 'rule'} ${name}`;
    return [{ key, name, condition, before: was ?? null, after: is ?? null }];
  });
}

function DifferenceCard({
  difference: { name, condition, before, after },
  live,
}: {
  readonly difference: Difference;
  readonly live: boolean;
}) {
  const w = useWords(RULES_WORDS);
  const { language } = useLanguage();
  const [mark, colour, Icon] =
    before === null
      ? ([w.added, 'teal', IconPlus] as const)
      : after === null
        ? ([w.removed, 'red', IconMinus] as const)
        : ([w.changed, 'blue', IconPencil] as const);
  const [was, is] = [before?.sentence[language], after?.sentence[language]];
  return (
    <Card withBorder component="article" aria-label={`${name}: ${mark}`}>
      <Group gap="xs" mb="xs">
        <Badge color={colour} variant="light" leftSection={<Icon size={12} aria-hidden />}>
          {mark}
        </Badge>
        <Title order={3} fz="md" style={{ overflowWrap: 'anywhere' }}>
          {live && after !== null && !condition ? <RuleLink name={name} /> : name}
        </Title>
        {condition && (
          <Text span fz="sm" c="dimmed">
            {w.conditionsSame}
          </Text>
        )}
      </Group>
      {was !== undefined && is !== undefined ? (
        was === is ? (
          <Text fz="sm">{w.sameSentence}</Text>
        ) : (
          <Suspense fallback={<Skeleton height={80} />}>
            <WordDiff before={was} after={is} />
          </Suspense>
        )
      ) : (
        <Sentence text={is ?? was ?? ''} />
      )}
    </Card>
  );
}
