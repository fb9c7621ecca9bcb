import { Alert, Badge, Button, Card, Code, Collapse, Group, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import { useId } from 'react';
import { Link } from 'wouter';
import { useAnswer } from '../../api/queries.js';
import type { Findings, Page, RuleSetActivation } from '../../api/types.js';
import { Moment } from '../../parts/moment.js';
import { useWords } from '../../words/words.js';
import { FindingList } from './finding-list.js';
import { shortHash } from './rule-facts.js';
import { RULES_WORDS } from './words.js';

/** Which rule set is live, since when and by whom. */
export function LiveSet({ hash }: { readonly hash: string | null }) {
  const w = useWords(RULES_WORDS);
  const { data } = useAnswer<Page<RuleSetActivation>>('/rule-sets', { limit: 1 }, { every: 15_000 });
  const [latest] = data?.items ?? [];
  if (hash === null)
    return (
      <Alert color="orange" icon={<IconAlertTriangle />} title={w.noneLive} mb="md">
        {w.noneLiveAbout}
      </Alert>
    );
  return (
    <Card withBorder padding="sm" mb="md">
      <Group justify="space-between" gap="sm">
        <Group gap="xs">
          <Badge color="teal" variant="light" leftSection={<IconCircleCheck size={14} />}>
            {w.liveSet}
          </Badge>
          <Code fz="sm" title={hash}>
            {shortHash(hash)}
          </Code>
          {latest?.hash === hash && (
            <Text span fz="sm">
              {w.number(latest.number)} · {w.liveSince} <Moment time={latest.activatedAt} /> ·{' '}
              {latest.actor === null ? w.byFiles : w.by(latest.actor)}
            </Text>
          )}
        </Group>
        <Button component={Link} href="/rule-sets" variant="default" size="xs">
          {w.versionsOfSet}
        </Button>
      </Group>
    </Card>
  );
}

/** That the files on disk are broken and so are not what decides: nothing when they are fine. */
export function DiskBanner({ findings }: { readonly findings: Findings | undefined }) {
  const w = useWords(RULES_WORDS);
  const [opened, { toggle }] = useDisclosure();
  const region = useId();
  if (!findings) return null;
  if (!findings.checked)
    return (
      <Alert color="gray" mb="md">
        {w.notChecked}
      </Alert>
    );
  const errors = findings.findings.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return null;
  return (
    <Alert color="red" mb="md" role="alert" icon={<IconAlertTriangle />} title={w.brokenTitle(errors.length)}>
      <Text size="sm">
        {findings.ruleSet === null ? w.brokenNone : w.brokenAbout(shortHash(findings.ruleSet))}
      </Text>
      <Button
        size="compact-sm"
        variant="default"
        mt="xs"
        aria-expanded={opened}
        aria-controls={region}
        onClick={toggle}
      >
        {opened ? w.hideFindings : w.showFindings}
      </Button>
      <Collapse expanded={opened} id={region}>
        <Card withBorder mt="sm" padding="sm">
          <FindingList findings={errors} file />
        </Card>
      </Collapse>
    </Alert>
  );
}
