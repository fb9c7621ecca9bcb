import { Box, Button, Stack, Text } from '@mantine/core';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { useState } from 'react';
import { segment } from '../../api/client.js';
import { usePages } from '../../api/queries.js';
import type { AuditRow } from '../../api/types.js';
import { FoldedFilters } from '../../parts/folded-filters.js';
import { useFilters } from '../../parts/filters.js';
import { To } from '../../parts/links.js';
import { List } from '../../parts/list.js';
import { Moment } from '../../parts/moment.js';
import { PageHead } from '../../parts/page-head.js';
import { JsonText } from '../../parts/texts.js';
import { ROLES } from '../../words/role-words.js';
import { SHOWN } from '../../words/shown-words.js';
import { useLanguage, useWords } from '../../words/words.js';
import { actionWords } from './action-words.js';
import { AUDIT_FILTERS, AuditFilterBar } from './audit-filters.js';
import { AUDIT } from './words.js';

export default function AuditLog() {
  const w = useWords(AUDIT);
  const shown = useWords(SHOWN);
  const roles = useWords(ROLES);
  const { language } = useLanguage();
  const { filters, set, clear, any } = useFilters(AUDIT_FILTERS);
  const list = usePages<AuditRow>('/audit', filters);
  return (
    <>
      <PageHead title={w.title} about={w.about} />
      <FoldedFilters filters={filters}>
        <AuditFilterBar filters={filters} set={set} clear={clear} any={any} />
      </FoldedFilters>
      <List
        label={w.title}
        rows={list.items}
        keyOf={({ id }) => id}
        error={list.error}
        retry={() => void list.refetch()}
        empty={any ? shown.nothingFits : shown.nothing}
        more={list.hasNextPage ? () => void list.fetchNextPage() : undefined}
        loadingMore={list.isFetchingNextPage}
        columns={[
          { title: w.when, width: 120, cell: ({ at }) => <Moment time={at} /> },
          {
            title: w.actor,
            cell: ({ actor, role }) => (
              <Box style={{ overflowWrap: 'anywhere' }}>
                {actor}
                {role !== null && (
                  <Text size="xs" c="dimmed">
                    {w.ofRole(roles[role])}
                  </Text>
                )}
              </Box>
            ),
          },
          {
            title: w.action,
            cell: ({ action }) => (
              <Stack gap={0}>
                {actionWords(action, language)}
                <Text size="xs" c="dimmed" ff="monospace">
                  {action}
                </Text>
              </Stack>
            ),
          },
          { title: w.subject, cell: ({ subject }) => <Subject subject={subject} /> },
          {
            title: w.means,
            wide: true,
            cell: ({ means, address }) => (
              <>
                {w[means]}
                <Text size="xs" c="dimmed">
                  {address}
                </Text>
              </>
            ),
          },
          { title: w.detail, width: '32%', cell: (row) => <Detail row={row} /> },
        ]}
      />
    </>
  );
}

/** What was changed; where the console has a page of it, a link to that. */
function Subject({ subject }: { readonly subject: string }) {
  const [, kind, id] = /^(delivery|event):(.+)$/s.exec(subject) ?? [];
  if (kind !== undefined && id !== undefined)
    return <To href={`/${kind === 'delivery' ? 'deliveries' : 'events'}/${segment(id)}`}>{subject}</To>;
  return (
    <Text size="sm" lineClamp={3} style={{ overflowWrap: 'anywhere' }}>
      {subject}
    </Text>
  );
}

/** In a line, or in full. */
function Detail({ row: { detail } }: { readonly row: AuditRow }) {
  const w = useWords(AUDIT);
  const [open, setOpen] = useState(false);
  const parts = Object.entries(detail);
  if (parts.length === 0) return <Text span>–</Text>;
  const line = parts
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' · ');
  return (
    <Stack gap={2} align="flex-start">
      {open ? (
        <Box w="100%">
          <JsonText value={detail} />
        </Box>
      ) : (
        <Text size="sm" lineClamp={1} style={{ overflowWrap: 'anywhere' }}>
          {line}
        </Text>
      )}
      <Button
        size="compact-xs"
        variant="subtle"
        color="gray"
        px={0}
        aria-expanded={open}
        leftSection={open ? <IconChevronDown size={14} /> : <IconChevronRight size={14} />}
        onClick={() => {
          setOpen(!open);
        }}
      >
        {open ? w.less : w.more}
      </Button>
    </Stack>
  );
}
