import { Box, Button, Card, Code, CopyButton, Group, Text, Title } from '@mantine/core';
import { IconCheck, IconCopy, IconDownload, IconFileDiff } from '@tabler/icons-react';
import { Copy } from '../../parts/texts.js';
import { useWords } from '../../words/words.js';
import { download } from './download.js';
import { type Draft, fileTextOf, isChanged } from './drafts.js';
import { patchOf } from './patch.js';
import { TRY_WORDS } from './words.js';

/** The way back into git: the text, the file, or what git applies. */
export function TakeOut({ draft }: { readonly draft: Draft }) {
  const w = useWords(TRY_WORDS);
  const text = fileTextOf(draft);
  const name = draft.path.split('/').at(-1) ?? 'new.rule.json';
  const patchName = `${name.replace(/\.json$/, '')}.patch`;
  const patch = isChanged(draft) ? patchOf(draft.path, draft.base, text) : '';
  const command = `git apply --directory=rules ${/^[\w.-]+$/.test(patchName) ? patchName : `'${patchName.replaceAll("'", String.raw`'\''`)}'`}`;
  return (
    <Card withBorder padding="sm" component="section" aria-label={w.patchTitle}>
      <Title order={2} fz="h4" mb="xs">
        {w.patchTitle}
      </Title>
      {patch === '' ? (
        <Text fz="sm" c="dimmed" mb="xs">
          {w.patchNothing}
        </Text>
      ) : (
        <Box mb="xs">
          <Text fz="sm">{w.patchAbout}</Text>
          <Group gap={4} mt={4} wrap="nowrap">
            <Code fz="sm" style={{ overflowWrap: 'anywhere' }}>
              {command}
            </Code>
            <Copy text={command} />
          </Group>
        </Box>
      )}
      <Group gap="xs">
        <Button
          size="xs"
          leftSection={<IconFileDiff size={14} aria-hidden />}
          disabled={patch === ''}
          onClick={() => download(patchName, patch, 'text/x-diff')}
        >
          {w.downloadPatch}
        </Button>
        <CopyWhole text={patch} label={w.copyPatch} off={patch === ''} />
        <Button
          size="xs"
          variant="default"
          leftSection={<IconDownload size={14} aria-hidden />}
          onClick={() => download(name, text)}
        >
          {w.downloadFile}
        </Button>
        <CopyWhole text={text} label={w.copyText} />
      </Group>
    </Card>
  );
}

function CopyWhole({
  text,
  label,
  off = false,
}: {
  readonly text: string;
  readonly label: string;
  readonly off?: boolean;
}) {
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <Button
          size="xs"
          variant="default"
          disabled={off}
          leftSection={copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
          onClick={copy}
        >
          {label}
        </Button>
      )}
    </CopyButton>
  );
}
