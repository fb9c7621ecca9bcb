import { Badge, Card, Code, Group, Stack, Text, Title } from '@mantine/core';
import { usePages } from '../../api/queries.js';
import type { Notice } from '../../api/types.js';
import { RuleLink, To } from '../../parts/links.js';
import { type Column, List } from '../../parts/list.js';
import { Moment } from '../../parts/moment.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { ATTENTION_WORDS } from './words.js';

const COLOURS: Readonly<Record<Notice['kind'], string>> = {
  'target-failing': 'red',
  'target-recovered': 'teal',
  'deliveries-dead': 'red',
  'not-rendered': 'red',
  'brake-held': 'violet',
  'silence-ending': 'orange',
  'lookup-failing': 'red',
  'unread-value': 'orange',
  'unknown-value': 'orange',
  'silent-rule': 'orange',
  'failing-condition': 'orange',
  'lost-events': 'red',
};

/** What the radar has found. */
const RADAR_KINDS: ReadonlySet<Notice['kind']> = new Set([
  'unread-value',
  'unknown-value',
  'silent-rule',
  'failing-condition',
  'lost-events',
]);

/** Notices that nobody is named for, then those that were told. */
export function NoticesPart() {
  const w = useWords(ATTENTION_WORDS);
  return (
    <Stack gap="md">
      <Notices state="nobody" title={w.nobody} about={w.nobodyAbout} empty={w.nobodyNone} />
      <Notices state="open" title={w.open} about={null} empty={null} />
      <Notices state="told" title={w.told} about={null} empty={w.toldNone} />
    </Stack>
  );
}

/** `empty` null: the whole section stays away when it has nothing. */
function Notices({
  state,
  title,
  about,
  empty,
}: {
  readonly state: Notice['state'];
  readonly title: string;
  readonly about: string | null;
  readonly empty: string | null;
}) {
  const w = useWords(ATTENTION_WORDS);
  const shown = useWords(SHOWN);
  const pages = usePages<Notice>('/notices', { state, limit: 25 }, { every: 15_000 });
  if (empty === null && (pages.items?.length ?? 0) === 0) return null;
  const columns: readonly Column<Notice>[] = [
    { title: shown.created, cell: ({ createdAt }) => <Moment time={createdAt} /> },
    {
      title: w.notice,
      cell: ({ kind }) => (
        <Badge color={COLOURS[kind]} variant="light" tt="none">
          {w[kind]}
        </Badge>
      ),
    },
    { title: w.subject, cell: (notice) => <Subject notice={notice} /> },
    {
      title: w.owners,
      cell: ({ rules }) => (
        <Group gap="xs">
          {rules.length === 0 ? '–' : rules.slice(0, 5).map((rule) => <RuleLink key={rule} name={rule} />)}
          {rules.length > 5 && <Text span size="xs">{`+${rules.length - 5}`}</Text>}
        </Group>
      ),
    },
    {
      title: w.why,
      cell: ({ detail }) => (
        <Group gap={4}>
          {Object.entries(detail)
            .filter(([name, value]) => value !== null && name !== 'rule')
            .map(([name, value]) => (
              <Code key={name} style={{ overflowWrap: 'anywhere' }}>
                {name} {value}
              </Code>
            ))}
        </Group>
      ),
    },
  ];
  return (
    <Card withBorder padding="sm" component="section" aria-labelledby={`notices-${state}`}>
      <Title order={2} fz="h4" id={`notices-${state}`}>
        {title}
      </Title>
      {about !== null && (
        <Text size="sm" c="dimmed" mb="xs">
          {about}
        </Text>
      )}
      <List
        label={title}
        rows={pages.items}
        columns={columns}
        keyOf={({ id }) => id}
        error={pages.items ? null : pages.error}
        retry={() => void pages.refetch()}
        empty={empty}
        more={pages.hasNextPage ? () => void pages.fetchNextPage() : undefined}
        loadingMore={pages.isFetchingNextPage}
      />
    </Card>
  );
}

/** What a notice is about, as a way to it. */
function Subject({ notice: { kind, subject } }: { readonly notice: Notice }) {
  if (subject.startsWith('rule:')) return <RuleLink name={subject.slice('rule:'.length)} />;
  if (RADAR_KINDS.has(kind)) return <To href={`/radar?${new URLSearchParams({ kind })}`}>{subject}</To>;
  if (kind === 'silence-ending') return <To href="/silences">{subject}</To>;
  if (kind === 'lookup-failing' || subject === '*') return <Code>{subject}</Code>;
  return <To href={`/targets?${new URLSearchParams({ target: subject })}`}>{subject}</To>;
}
