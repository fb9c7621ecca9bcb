import { Alert, Button, Card, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useAnswer } from '../../api/queries.js';
import type { Findings, RuleAnswer, RuleFile } from '../../api/types.js';
import { Editor } from '../../parts/lazy.js';
import { Problem } from '../../parts/problem.js';
import { Copy } from '../../parts/texts.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { download } from '../try/download.js';
import { FindingList, marksOf } from './finding-list.js';
import { RULES_WORDS } from './words.js';

/** The live file with what is wrong in it. */
export function FileTab({
  rule,
  findings,
}: {
  readonly rule: RuleAnswer;
  readonly findings: Findings | undefined;
}) {
  const w = useWords(RULES_WORDS);
  const shown = useWords(SHOWN);
  const file = useAnswer<RuleFile>('/rule-sets/live/file', { path: rule.file });
  const own = findings?.findings.filter((one) => one.file === rule.file) ?? [];
  const broken = findings?.findings.some(({ severity }) => severity === 'error') === true;
  const text = file.data?.text;
  return (
    <Stack>
      <Group justify="space-between" gap="xs">
        <Text fz="sm" ff="monospace" style={{ overflowWrap: 'anywhere' }}>
          {rule.file}
        </Text>
        <Group gap="xs">
          {text !== undefined && (
            <>
              <Copy text={text} />
              <Button
                variant="default"
                size="xs"
                leftSection={<IconDownload size={14} />}
                onClick={() => download(rule.file.split('/').at(-1) ?? 'rule.json', text)}
              >
                {shown.download}
              </Button>
            </>
          )}
        </Group>
      </Group>
      {file.error && <Problem error={file.error} retry={() => void file.refetch()} />}
      {file.isPending && <Skeleton height={420} />}
      {text !== undefined && (
        <Editor text={text} label={w.fileOf(rule.file)} marks={marksOf(own, text)} maxHeight={640} />
      )}
      <Card withBorder component="section" aria-label={w.findings}>
        <Title order={2} fz="h4" mb="sm">
          {w.findings}
        </Title>
        {broken && own.length > 0 && (
          <Alert color="orange" mb="sm">
            {w.findingsOfDisk}
          </Alert>
        )}
        {findings?.checked === false ? (
          <Text fz="sm">{w.notChecked}</Text>
        ) : own.length === 0 ? (
          <Text fz="sm">{w.noFindings}</Text>
        ) : (
          <FindingList findings={own} />
        )}
      </Card>
    </Stack>
  );
}
