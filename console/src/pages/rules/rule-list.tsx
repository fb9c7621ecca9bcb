import {
  Badge,
  Box,
  Button,
  Card,
  Group,
  Select,
  Skeleton,
  Stack,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { IconAlarm, IconFlask, IconSearch, IconStack2 } from '@tabler/icons-react';
import { Link } from 'wouter';
import { segment } from '../../api/client.js';
import { useAnswer, useCatalogue } from '../../api/queries.js';
import type { Findings, RuleSummary, Rules, SaidRules } from '../../api/types.js';
import { useFilters } from '../../parts/filters.js';
import { SeverityMark } from '../../parts/marks.js';
import { PageHead } from '../../parts/page-head.js';
import { Problem } from '../../parts/problem.js';
import { To } from '../../parts/links.js';
import { Labelled } from '../../parts/texts.js';
import { SHOWN } from '../../words/shown-words.js';
import { useLanguage, useWords } from '../../words/words.js';
import { ActionKind } from './action-kind.js';
import { DiskBanner, LiveSet } from './live-set.js';
import { countsOf, factsOf, findingsOf, type RuleFacts, type SeverityCounts } from './rule-facts.js';
import { firstParagraph, Sentence } from './sentence.js';
import { ShadowMark } from './shadow-mark.js';
import { RULES_WORDS } from './words.js';

interface Row {
  readonly rule: RuleSummary;
  /** Null while the sentences are not there yet, or are of another set. */
  readonly sentence: string | null;
  readonly facts: RuleFacts | null;
  readonly counts: SeverityCounts;
}

const WITHOUT_OWNER = '–';

export default function RuleList() {
  const w = useWords(RULES_WORDS);
  const shown = useWords(SHOWN);
  const { language } = useLanguage();
  const rules = useAnswer<Rules>('/rules', {}, { every: 15_000 });
  const said = useAnswer<SaidRules>('/rule-sets/live/rules', {}, { when: rules.data?.ruleSet !== null });
  const findings = useAnswer<Findings>('/findings', {}, { every: 15_000 });
  const { filters, set, clear, any } = useFilters(['text', 'owner', 'kind', 'findings']);

  const sentences = new Map(said.data?.rules.map((one) => [one.name, one]));
  const rows = rules.data?.items.map((rule): Row => {
    const one = sentences.get(rule.name);
    return {
      rule,
      sentence: one ? firstParagraph(one.sentence[language], rule.name) : null,
      facts: one ? factsOf(one.document) : null,
      counts: countsOf(findingsOf(rule, findings.data?.findings ?? [])),
    };
  });
  const fitting = rows?.filter((row) => fits(row, filters));
  const owners = [...new Set(rows?.map(({ rule }) => rule.owner ?? WITHOUT_OWNER))].sort();
  const kinds = [...new Set(rows?.flatMap(({ facts }) => facts?.kinds.map(([kind]) => kind) ?? []))].sort();

  return (
    <>
      <PageHead title={w.rules}>
        <Button component={Link} href="/try" variant="light" leftSection={<IconFlask size={16} />}>
          {w.tryPad}
        </Button>
      </PageHead>
      <DiskBanner findings={findings.data} />
      {rules.data && <LiveSet hash={rules.data.ruleSet} />}
      {rules.error && <Problem error={rules.error} retry={() => void rules.refetch()} />}
      {said.error && <Problem error={said.error} retry={() => void said.refetch()} />}
      {rows && rows.length > 0 && (
        <Group mb="sm" gap="sm" align="flex-end">
          <TextInput
            aria-label={w.findLabel}
            placeholder={w.find}
            leftSection={<IconSearch size={14} />}
            value={filters.text}
            maxLength={200}
            style={{ flex: '1 1 14rem' }}
            onChange={(change) => set({ text: change.currentTarget.value })}
          />
          <Select
            aria-label={shown.owner}
            value={filters.owner}
            data={[
              { value: '', label: w.anyOwner },
              ...owners.map((one) => ({ value: one, label: one === WITHOUT_OWNER ? w.noOwner : one })),
            ]}
            w={150}
            onChange={(owner) => set({ owner })}
          />
          <Select
            aria-label={w.kind}
            value={filters.kind}
            data={[{ value: '', label: w.anyKind }, ...kinds.map((one) => ({ value: one, label: one }))]}
            w={150}
            onChange={(kind) => set({ kind })}
          />
          <Select
            aria-label={w.withFindings}
            value={filters.findings}
            data={[
              { value: '', label: w.anyFindings },
              { value: 'any', label: w.onlyFindings },
              { value: 'warning', label: w.onlyWarnings },
              { value: 'error', label: w.onlyErrors },
            ]}
            w={200}
            onChange={(next) => set({ findings: next })}
          />
          {any && (
            <Button variant="subtle" onClick={clear}>
              {shown.clearFilters}
            </Button>
          )}
        </Group>
      )}
      {rules.isPending && (
        <Stack aria-busy="true" aria-label={shown.loading}>
          {[0, 1, 2, 3].map((one) => (
            <Skeleton key={one} height={150} />
          ))}
        </Stack>
      )}
      {rows && fitting && rows.length > 0 && (
        <>
          <Text fz="sm" c="dimmed" mb="xs" role="status">
            {fitting.length === 0 ? shown.nothingFits : w.shown(fitting.length, rows.length)}
          </Text>
          <Stack gap="sm" component="ul" m={0} p={0} style={{ listStyle: 'none' }}>
            {fitting.map((row) => (
              <li key={row.rule.name}>
                <RuleCard row={row} />
              </li>
            ))}
          </Stack>
        </>
      )}
    </>
  );
}

function fits(
  { rule, sentence, facts, counts }: Row,
  filters: Readonly<Record<'text' | 'owner' | 'kind' | 'findings', string>>,
): boolean {
  const words = filters.text
    .toLocaleLowerCase()
    .split(/\s+/)
    .filter((one) => one !== '');
  const where = [
    rule.name,
    rule.owner,
    rule.description,
    rule.file,
    sentence,
    ...Object.entries(rule.labels).flat(),
  ]
    .join('\n')
    .toLocaleLowerCase();
  const { error, warning, info } = counts;
  return (
    words.every((one) => where.includes(one)) &&
    (filters.owner === '' || (rule.owner ?? WITHOUT_OWNER) === filters.owner) &&
    (filters.kind === '' || facts?.kinds.some(([kind]) => kind === filters.kind) === true) &&
    { '': true, any: error + warning + info > 0, warning: error + warning > 0, error: error > 0 }[
      filters.findings
    ] !== false
  );
}

function RuleCard({ row: { rule, sentence, facts, counts } }: { readonly row: Row }) {
  const w = useWords(RULES_WORDS);
  const catalogue = useCatalogue();
  return (
    <Card withBorder padding="sm">
      <Group justify="space-between" align="flex-start" gap="xs" wrap="nowrap">
        <Box miw={0} flex={1}>
          <Title order={2} fz="md">
            <To href={`/rules/${segment(rule.name)}`}>{rule.name}</To>
          </Title>
          <Text fz="sm" c="dimmed" component="div" style={{ overflowWrap: 'anywhere' }}>
            {rule.trigger.map((type, at) => (
              <span key={type}>
                {at > 0 && ' · '}
                <Labelled
                  name={type}
                  label={catalogue?.items.find(({ eventType }) => eventType === type)?.label ?? null}
                />
              </span>
            ))}
            {facts?.schedule !== undefined && facts.schedule !== null && ` · ${facts.schedule}`}
          </Text>
        </Box>
        <Group gap={6} justify="flex-end" maw="60%" style={{ flexShrink: 0 }}>
          {(['error', 'warning', 'info'] as const).map(
            (severity) =>
              counts[severity] > 0 && (
                <Group key={severity} gap={4} wrap="nowrap">
                  <SeverityMark severity={severity} />
                  <Text span fz="sm">
                    {counts[severity]}
                  </Text>
                </Group>
              ),
          )}
          <ShadowMark mode={rule.mode} />
          <EnabledMark enabled={rule.enabled} />
        </Group>
      </Group>
      <Box my="xs">{sentence === null ? <Skeleton height={44} /> : <Sentence text={sentence} />}</Box>
      <Group justify="space-between" gap="xs">
        <Group gap="md">
          {facts?.kinds.map(([kind, count]) => (
            <ActionKind key={kind} kind={kind} count={count} />
          ))}
          {facts !== null && facts.steps > 0 && (
            <Group gap={4} wrap="nowrap">
              <IconAlarm size={16} aria-hidden />
              <Text span fz="sm">
                {w.escalation}: {w.escalates(facts.steps)}
              </Text>
            </Group>
          )}
          {facts?.digest === true && (
            <Group gap={4} wrap="nowrap">
              <IconStack2 size={16} aria-hidden />
              <Text span fz="sm">
                {w.digest}
              </Text>
            </Group>
          )}
        </Group>
        <Group gap="xs">
          {Object.entries(rule.labels).map(([name, value]) => (
            <Badge key={name} variant="default" tt="none" maw={240}>
              {name}={value}
            </Badge>
          ))}
          <Text span fz="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
            {rule.owner ?? w.noOwner}
          </Text>
        </Group>
      </Group>
    </Card>
  );
}

/** Whether it applies. */
export function EnabledMark({ enabled }: { readonly enabled: boolean }) {
  const w = useWords(RULES_WORDS);
  return (
    <Badge color={enabled ? 'teal' : 'gray'} variant={enabled ? 'light' : 'filled'} flex="none">
      {enabled ? w.enabled : w.off}
    </Badge>
  );
}
