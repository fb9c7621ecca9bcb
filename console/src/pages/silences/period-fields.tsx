import { Input, SegmentedControl, Stack } from '@mantine/core';
import { useId } from 'react';
import { MomentInput } from '../../parts/moment-input.js';
import { useWords } from '../../words/words.js';
import type { FieldErrors } from './field-errors.js';
import { type Lasting, LASTINGS } from './period.js';
import { SILENCE_WORDS } from './words.js';
import { useNarrow } from '../../parts/narrow.js';

export interface PeriodDraft {
  readonly lasting: Lasting;
  /** ISO 8601; empty: at once. */
  readonly startsAt: string;
  /** ISO 8601; of a custom one. */
  readonly until: string;
}

/** When it begins, and how long it lasts. */
export function PeriodFields({
  draft,
  change,
  errors,
}: {
  readonly draft: PeriodDraft;
  readonly change: (part: Partial<PeriodDraft>) => void;
  readonly errors: FieldErrors;
}) {
  const w = useWords(SILENCE_WORDS);
  const narrow = useNarrow('36em');
  const label = useId();
  const names: Readonly<Record<Lasting, string>> = {
    '30m': w.for30,
    '2h': w.for2h,
    '24h': w.for24h,
    tomorrow: w.tomorrow,
    custom: w.custom,
  };
  const error = errors.for ?? errors.endsAt;
  return (
    <Stack gap="sm">
      <div>
        <Input.Label id={label} labelElement="div" required>
          {w.howLong}
        </Input.Label>
        <SegmentedControl
          fullWidth
          aria-labelledby={label}
          value={draft.lasting}
          data={LASTINGS.map((value) => ({ value, label: names[value] }))}
          onChange={(lasting) => {
            change({ lasting });
          }}
          orientation={narrow ? 'vertical' : 'horizontal'}
        />
        {error !== undefined && draft.lasting !== 'custom' && <Input.Error mt={4}>{error}</Input.Error>}
      </div>
      {draft.lasting === 'custom' && (
        <MomentInput
          label={w.until}
          required
          value={draft.until}
          error={error}
          change={(until) => {
            change({ until });
          }}
        />
      )}
      <MomentInput
        label={w.from}
        description={w.fromAbout}
        value={draft.startsAt}
        error={errors.startsAt}
        change={(startsAt) => {
          change({ startsAt });
        }}
      />
    </Stack>
  );
}
