import { Badge, Card, Group, Skeleton, Text } from '@mantine/core';
import { useWords } from '../../words/words.js';
import { fittingRules, type NamedRule } from './fitting-rules.js';
import type { MatcherDraft } from './matcher-fields.js';
import { SILENCE_WORDS } from './words.js';

const MOST = 24;

/** Which live rules a silence would be about, while it is typed. */
export function FitPreview({
  rules,
  draft,
}: {
  /** Null: they are not there yet. */
  readonly rules: readonly NamedRule[] | null;
  readonly draft: MatcherDraft;
}) {
  const w = useWords(SILENCE_WORDS);
  if (rules === null) return <Skeleton height={72} />;
  const parts = { rule: draft.rule.trim(), action: draft.action.trim(), owner: draft.owner.trim() };
  const named = parts.rule !== '' || parts.action !== '' || parts.owner !== '' || draft.withConditions;
  const fitting = named ? fittingRules(rules, parts) : [];
  return (
    <Card withBorder padding="sm" role="status" bg="var(--mantine-color-default-hover)">
      <Text size="sm" fw={600}>
        {w.fits}
        {fitting.length > 0 && (
          <Text span inherit fw={400}>
            : {w.fitsRules(fitting.length, rules.length)}
            {draft.withConditions && `, ${w.fitsUnderConditions}`}
          </Text>
        )}
      </Text>
      {fitting.length === 0 ? (
        <Text size="sm">{named ? w.fitsNone : w.fitsAll}</Text>
      ) : (
        <Group gap={4} mt={6}>
          {fitting.slice(0, MOST).map(({ name }) => (
            <Badge key={name} variant="default" tt="none" fw={500} ff="monospace">
              {name}
            </Badge>
          ))}
          {fitting.length > MOST && <Text size="sm">{w.moreRules(fitting.length - MOST)}</Text>}
        </Group>
      )}
    </Card>
  );
}
