import { Autocomplete, Input, SimpleGrid, Stack, Switch } from '@mantine/core';
import { Editor } from '../../parts/lazy.js';
import { useWords } from '../../words/words.js';
import { fittingRules, type NamedRule, ruleSuggestions } from './fitting-rules.js';
import type { FieldErrors } from './field-errors.js';
import { SILENCE_WORDS } from './words.js';

/** What is typed so far. */
export interface MatcherDraft {
  readonly rule: string;
  readonly action: string;
  readonly owner: string;
  readonly withConditions: boolean;
  /** As JSON. */
  readonly conditions: string;
}

/** Which deliveries are meant: names with what is live to choose from, and conditions when they are wanted. */
export function MatcherFields({
  draft,
  change,
  rules,
  errors,
}: {
  readonly draft: MatcherDraft;
  readonly change: (part: Partial<MatcherDraft>) => void;
  readonly rules: readonly NamedRule[];
  readonly errors: FieldErrors;
}) {
  const w = useWords(SILENCE_WORDS);
  // Actions of the rules that are meant so far, owners of all.
  const actions = fittingRules(rules, { ...draft, action: '' }).flatMap((one) => one.actions);
  const owners = rules.flatMap(({ owner }) => (owner === null ? [] : [owner]));
  return (
    <Stack gap="sm">
      <Autocomplete
        label={w.rule}
        description={w.ruleAbout}
        placeholder="payroll-*"
        data-autofocus
        openOnFocus={false}
        data={ruleSuggestions(rules)}
        limit={30}
        maxLength={64}
        value={draft.rule}
        error={errors['matcher.rule']}
        onChange={(rule) => {
          change({ rule });
        }}
      />
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        <Autocomplete
          label={w.action}
          description={w.optional}
          data={[...new Set(actions)].sort()}
          limit={30}
          value={draft.action}
          error={errors['matcher.action']}
          onChange={(action) => {
            change({ action });
          }}
        />
        <Autocomplete
          label={w.owner}
          description={w.optional}
          data={[...new Set(owners)].sort()}
          limit={30}
          value={draft.owner}
          error={errors['matcher.owner']}
          onChange={(owner) => {
            change({ owner });
          }}
        />
      </SimpleGrid>
      <Switch
        label={w.useConditions}
        checked={draft.withConditions}
        onChange={(changed) => {
          change({ withConditions: changed.currentTarget.checked });
        }}
      />
      {draft.withConditions && (
        <Stack gap={4}>
          <Input.Description>{w.conditionsAbout}</Input.Description>
          <Editor
            label={w.conditionsLabel}
            text={draft.conditions}
            maxHeight={260}
            change={(conditions) => {
              change({ conditions });
            }}
          />
          {errors['matcher.conditions'] !== undefined && (
            <Input.Error role="alert" style={{ whiteSpace: 'pre-line', overflowWrap: 'anywhere' }}>
              {errors['matcher.conditions']}
            </Input.Error>
          )}
        </Stack>
      )}
    </Stack>
  );
}
