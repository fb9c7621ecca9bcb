import { Alert, Badge, Box, Button, Card, Code, Group, Skeleton, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useId } from 'react';
import { segment } from '../../api/client.js';
import { useAnswer } from '../../api/queries.js';
import type { RuleVersions } from '../../api/types.js';
import { Merge } from '../../parts/lazy-merge.js';
import { To } from '../../parts/links.js';
import { Moment } from '../../parts/moment.js';
import { Problem } from '../../parts/problem.js';
import { SHOWN } from '../../words/shown-words.js';
import { useLanguage, useWords } from '../../words/words.js';
import { Pieces } from './pieces.js';
import { documentText, shortHash } from './rule-facts.js';
import { Sentence } from './sentence.js';
import { RULES_WORDS } from './words.js';

type Version = RuleVersions['versions'][number];

/** How the rule came to be what it is. Also of a rule that is gone. */
export function VersionsTab({ name }: { readonly name: string }) {
  const w = useWords(RULES_WORDS);
  const shown = useWords(SHOWN);
  const { data, error, refetch, isPending } = useAnswer<RuleVersions>(`/rules/${segment(name)}/versions`);
  if (error) return <Problem error={error} retry={() => void refetch()} />;
  if (isPending)
    return (
      <Stack aria-busy="true" aria-label={shown.loading}>
        <Skeleton height={160} />
        <Skeleton height={160} />
      </Stack>
    );
  return (
    <Stack>
      <Text fz="sm" c="dimmed">
        {w.allVersions} <To href="/rule-sets">{w.versionsOfSet}</To>
      </Text>
      {data.versions.map((version, at) => (
        <VersionCard
          key={version.number}
          version={version}
          earlier={data.versions[at + 1] ?? null}
          cut={data.cut}
        />
      ))}
      {data.cut && <Alert color="gray">{w.versionsCut}</Alert>}
    </Stack>
  );
}

function VersionCard({
  version,
  earlier,
  cut,
}: {
  readonly version: Version;
  readonly earlier: Version | null;
  readonly cut: boolean;
}) {
  const w = useWords(RULES_WORDS);
  const { language } = useLanguage();
  const [opened, { toggle }] = useDisclosure();
  const region = useId();
  const { number, live, ruleSet, activatedAt, actor, reason, document, sentence, changes } = version;
  const before = earlier?.document ?? null;
  const same = changes?.[language].every(({ kind }) => kind === 'same') === true;
  return (
    <Card withBorder component="article" aria-label={w.number(number)}>
      <Group gap="sm" mb="xs">
        <Text span fw={650}>
          {w.number(number)}
        </Text>
        {live && (
          <Badge color="teal" variant="light">
            {w.live}
          </Badge>
        )}
        <Code title={ruleSet}>{shortHash(ruleSet)}</Code>
        <Text span fz="sm">
          <Moment time={activatedAt} exact />
        </Text>
        <Text span fz="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
          {actor === null ? w.byFiles : w.by(actor)}
          {actor !== null && reason !== '' && ` · ${reason}`}
        </Text>
      </Group>
      {document === null ? (
        <Text fz="sm">{w.removedRule}</Text>
      ) : (
        <Stack gap="sm">
          {earlier === null && !cut && (
            <Text fz="sm" c="dimmed">
              {w.firstVersion}
            </Text>
          )}
          {same && <Text fz="sm">{w.sameSentence}</Text>}
          {changes
            ? !same && <Pieces pieces={changes[language]} />
            : sentence && <Sentence text={sentence[language]} />}
          {before !== null && earlier !== null && (
            <Box>
              <Button
                variant="default"
                size="xs"
                aria-expanded={opened}
                aria-controls={region}
                onClick={toggle}
              >
                {opened ? w.hideDocuments : w.showDocuments}
              </Button>
              <Box id={region}>
                {opened && (
                  <Box mt="sm">
                    <Group justify="space-between" mb={4}>
                      <Text fz="xs" c="dimmed">
                        {w.before(earlier.number)}
                      </Text>
                      <Text fz="xs" c="dimmed">
                        {w.now(number)}
                      </Text>
                    </Group>
                    <Merge
                      before={documentText(before)}
                      after={documentText(document)}
                      label={w.documentsOf(earlier.number, number)}
                    />
                  </Box>
                )}
              </Box>
            </Box>
          )}
        </Stack>
      )}
    </Card>
  );
}
