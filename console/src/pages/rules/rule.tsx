import { Alert, Badge, Button, Group, Skeleton, Stack, Tabs, Text } from '@mantine/core';
import { IconFlask } from '@tabler/icons-react';
import { Link, useParams } from 'wouter';
import { ApiProblem, segment } from '../../api/client.js';
import { useAnswer } from '../../api/queries.js';
import type { Findings, RuleAnswer } from '../../api/types.js';
import { useFilters } from '../../parts/filters.js';
import { To } from '../../parts/links.js';
import { SeverityMark } from '../../parts/marks.js';
import { PageHead } from '../../parts/page-head.js';
import { Problem } from '../../parts/problem.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { RecallButton } from '../replays/recall-dialog.js';
import { CasesTab } from './cases-tab.js';
import { FileTab } from './file-tab.js';
import { HistoryTab } from './history-tab.js';
import { DiskBanner } from './live-set.js';
import { countsOf, findingsOf } from './rule-facts.js';
import { EnabledMark } from './rule-list.js';
import { SentenceTab } from './sentence-tab.js';
import { ShadowMark } from './shadow-mark.js';
import { ShadowTab } from './shadow-tab.js';
import { VersionsTab } from './versions-tab.js';
import { RULES_WORDS } from './words.js';

const TABS = ['sentence', 'shadow', 'file', 'history', 'cases', 'versions'] as const;

export default function RulePage() {
  const { name } = useParams<{ name: string }>();
  const w = useWords(RULES_WORDS);
  const shown = useWords(SHOWN);
  const rule = useAnswer<RuleAnswer>(`/rules/${segment(name)}`, {}, { every: 30_000 });
  const findings = useAnswer<Findings>('/findings', {}, { every: 30_000 });
  const { filters, set } = useFilters(['tab']);
  const tab = TABS.find((one) => one === filters.tab) ?? 'sentence';

  if (rule.error instanceof ApiProblem && rule.error.code === 'RULE_UNKNOWN')
    return (
      <>
        <PageHead title={name} about={<To href="/rules">{w.back}</To>} />
        <Alert color="orange" title={w.unknownRule} mb="md">
          {w.lookAtVersions}
        </Alert>
        <RecallButton rule={name} />
        <VersionsTab name={name} />
      </>
    );
  if (rule.error && !rule.data)
    return (
      <>
        <PageHead title={name} about={<To href="/rules">{w.back}</To>} />
        <Problem error={rule.error} retry={() => void rule.refetch()} />
      </>
    );
  const { data } = rule;
  if (!data)
    return (
      <>
        <PageHead title={name} about={<To href="/rules">{w.back}</To>} />
        <Stack aria-busy="true" aria-label={shown.loading}>
          <Skeleton height={36} />
          <Skeleton height={320} />
        </Stack>
      </>
    );
  const counts = countsOf(findingsOf(data, findings.data?.findings ?? []));
  return (
    <>
      <PageHead
        title={name}
        about={
          <Group gap="md" style={{ rowGap: 4 }}>
            <To href="/rules">{w.back}</To>
            <span>{data.owner ?? w.noOwner}</span>
            <Text span inherit ff="monospace">
              {data.file}:{data.line}
            </Text>
            <EnabledMark enabled={data.enabled} />
            <ShadowMark mode={data.mode} />
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
            {Object.entries(data.labels).map(([label, value]) => (
              <Badge key={label} variant="default" tt="none" maw={280}>
                {label}={value}
              </Badge>
            ))}
          </Group>
        }
      >
        <Button
          component={Link}
          href={`/try?rule=${segment(name)}`}
          variant="light"
          leftSection={<IconFlask size={16} />}
        >
          {w.tryThis}
        </Button>
        <RecallButton rule={name} />
      </PageHead>
      <DiskBanner findings={findings.data} />
      <Tabs
        value={tab}
        onChange={(next) => set({ tab: next === 'sentence' ? null : next })}
        keepMounted={false}
      >
        <Tabs.List mb="md" style={{ flexWrap: 'nowrap', overflowX: 'auto', overflowY: 'hidden' }}>
          {TABS.filter((one) => one !== 'shadow' || data.mode === 'shadow').map((one) => (
            <Tabs.Tab key={one} value={one} px={{ base: 8, sm: 'md' }} style={{ flex: 'none' }}>
              {w[one]}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="sentence">
          <SentenceTab rule={data} />
        </Tabs.Panel>
        {data.mode === 'shadow' && (
          <Tabs.Panel value="shadow">
            <ShadowTab rule={data} />
          </Tabs.Panel>
        )}
        <Tabs.Panel value="file">
          <FileTab rule={data} findings={findings.data} />
        </Tabs.Panel>
        <Tabs.Panel value="history">
          <HistoryTab rule={data} />
        </Tabs.Panel>
        <Tabs.Panel value="cases">
          <CasesTab rule={data} />
        </Tabs.Panel>
        <Tabs.Panel value="versions">
          <VersionsTab name={name} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
