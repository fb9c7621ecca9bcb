import { Badge, NativeSelect, Stack, Tabs, Text } from '@mantine/core';
import type { ComponentType } from 'react';
import { useAskOnChanges } from '../../api/ask-on-changes.js';
import { useAnswer } from '../../api/queries.js';
import type { Overview } from '../../api/types.js';
import { useFilters } from '../../parts/filters.js';
import { PageHead } from '../../parts/page-head.js';
import { useWords } from '../../words/words.js';
import { useCount } from '../overview/numbers.js';
import { DeliveriesPart } from './deliveries-part.js';
import { DriftPart } from './drift-part.js';
import { ErrorsPart, QuarantinedPart } from './events-part.js';
import { FindingsPart } from './findings-part.js';
import { NoticesPart } from './notices-part.js';
import { TargetsPart } from './targets-part.js';
import { UnknownPart } from './unknown-part.js';
import { ATTENTION_WORDS } from './words.js';
import { useNarrow } from '../../parts/narrow.js';

const PARTS = [
  'deliveries',
  'targets',
  'findings',
  'quarantined',
  'errors',
  'unknown',
  'notices',
  'drift',
] as const;
type Part = (typeof PARTS)[number];

const SHOWN_PARTS: Readonly<Record<Part, ComponentType>> = {
  deliveries: DeliveriesPart,
  targets: TargetsPart,
  findings: FindingsPart,
  quarantined: QuarantinedPart,
  errors: ErrorsPart,
  unknown: UnknownPart,
  notices: NoticesPart,
  drift: DriftPart,
};

function countsOf(needs: Overview['needsPerson']): Readonly<Record<Part, number>> {
  return {
    deliveries: needs.dead + needs.held,
    targets: needs.failingTargets,
    findings: (needs.findings?.error ?? 0) + (needs.findings?.warning ?? 0),
    quarantined: needs.quarantined,
    errors: needs.errors,
    unknown: needs.unknown,
    notices: needs.untold,
    drift: needs.drift.length,
  };
}

/** The lists of what waits for a person; `?part=` names the one that is shown. */
export default function Attention() {
  const w = useWords(ATTENTION_WORDS);
  const count = useCount();
  const narrow = useNarrow();
  const { filters, set } = useFilters(['part']);
  const { data } = useAnswer<Overview>('/overview', {}, { every: 10_000 });
  useAskOnChanges('deliveries', '/deliveries', '/targets');
  const counts = data ? countsOf(data.needsPerson) : null;
  const part = PARTS.find((one) => one === filters.part) ?? 'deliveries';
  const Shown = SHOWN_PARTS[part];
  const choose = (next: string | null): void => {
    set({ part: next });
  };
  const about = (
    <Text size="sm" c="dimmed">
      {w[`${part}About`]}
    </Text>
  );
  return (
    <>
      <PageHead title={w.title} about={w.about} />
      {narrow ? (
        <Stack gap="sm">
          <NativeSelect
            label={w.part}
            value={part}
            data={PARTS.map((one) => ({
              value: one,
              label: counts && counts[one] > 0 ? `${w[one]} (${count(counts[one])})` : w[one],
            }))}
            onChange={(change) => {
              choose(change.currentTarget.value);
            }}
          />
          {about}
          <Shown />
        </Stack>
      ) : (
        <Tabs value={part} onChange={choose} keepMounted={false}>
          <Tabs.List aria-label={w.title}>
            {PARTS.map((one) => (
              <Tabs.Tab
                key={one}
                value={one}
                px="sm"
                rightSection={
                  counts && counts[one] > 0 ? (
                    <Badge variant="light" color={one === 'unknown' ? 'yellow' : 'red'} tt="none">
                      {count(counts[one])}
                    </Badge>
                  ) : undefined
                }
              >
                {w[one]}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          <Tabs.Panel value={part} pt="md">
            <Stack gap="md">
              {about}
              <Shown />
            </Stack>
          </Tabs.Panel>
        </Tabs>
      )}
    </>
  );
}
