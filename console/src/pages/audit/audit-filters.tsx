import { Box, Button, Select, SimpleGrid } from '@mantine/core';
import { IconFilterOff } from '@tabler/icons-react';
import { useAnswer } from '../../api/queries.js';
import type { Page, User } from '../../api/types.js';
import { NameFilter } from '../../parts/filter-fields.js';
import { MomentInput } from '../../parts/moment-input.js';
import { SHOWN } from '../../words/shown-words.js';
import { useLanguage, useWords } from '../../words/words.js';
import { ACTIONS, actionWords } from './action-words.js';
import { AUDIT } from './words.js';

export const AUDIT_FILTERS = ['actor', 'action', 'subject', 'since', 'until'] as const;
type Filters = Readonly<Record<(typeof AUDIT_FILTERS)[number], string>>;

export function AuditFilterBar({
  filters,
  set,
  clear,
  any,
}: {
  readonly filters: Filters;
  readonly set: (changes: Partial<Record<keyof Filters, string | null>>) => void;
  readonly clear: () => void;
  readonly any: boolean;
}) {
  const w = useWords(AUDIT);
  const shown = useWords(SHOWN);
  const { language } = useLanguage();
  const users = useAnswer<Page<User>>('/users', { limit: 200 }).data?.items.map(({ name }) => name) ?? [];
  const actions = [...new Set([...Object.keys(ACTIONS), ...(filters.action === '' ? [] : [filters.action])])];
  return (
    <Box mb="md" component="search">
      <SimpleGrid cols={{ base: 1, xs: 2, md: 5 }} spacing="xs">
        <NameFilter
          label={w.actor}
          placeholder={w.actorHint}
          value={filters.actor}
          names={users}
          apply={(actor) => {
            set({ actor });
          }}
        />
        <Select
          size="xs"
          label={w.action}
          placeholder={shown.all}
          searchable
          clearable
          value={filters.action || null}
          data={actions.map((value) => ({
            value,
            label: `${actionWords(value, language) ?? ''} ${value}`.trim(),
          }))}
          comboboxProps={{ width: 'max-content', position: 'bottom-start' }}
          onChange={(action) => {
            set({ action });
          }}
        />
        <NameFilter
          label={w.subject}
          placeholder={w.subjectHint}
          value={filters.subject}
          names={[]}
          apply={(subject) => {
            set({ subject });
          }}
        />
        <MomentInput
          size="xs"
          label={shown.since}
          value={filters.since}
          change={(since) => {
            set({ since });
          }}
        />
        <MomentInput
          size="xs"
          label={shown.until}
          value={filters.until}
          change={(until) => {
            set({ until });
          }}
        />
      </SimpleGrid>
      {any && (
        <Button
          mt={6}
          variant="subtle"
          color="gray"
          size="compact-sm"
          leftSection={<IconFilterOff size={14} />}
          onClick={clear}
        >
          {shown.clearFilters}
        </Button>
      )}
    </Box>
  );
}
