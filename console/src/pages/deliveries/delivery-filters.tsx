import { Anchor, Box, Button, Group, Select, SimpleGrid } from '@mantine/core';
import { IconFilterOff } from '@tabler/icons-react';
import { useState } from 'react';
import { useAnswer } from '../../api/queries.js';
import type { Rules, Targets } from '../../api/types.js';
import { NameFilter, TextFilter } from '../../parts/filter-fields.js';
import { MomentInput } from '../../parts/moment-input.js';
import { SHOWN } from '../../words/shown-words.js';
import { useLanguage, useWords } from '../../words/words.js';
import type { DeliveryFilters } from './bulk-filter.js';
import { occasionWords } from './code-words.js';
import { DELIVERIES } from './words.js';

const KINDS = ['http', 'email', 'feishu-bot', 'feishu-message'];
/** Those that have one name; steps and replays have one each, and come by a link. */
const OCCASIONS = ['live', 'settle', 'recall', 'notice'];
const SELDOM = ['action', 'entity', 'event', 'occasion', 'since', 'until'] as const;

/** What narrows the list of deliveries down, beside the state. A text is looked for with Enter, or when the field is left. */
export function DeliveryFilterBar({
  filters,
  set,
  clear,
  any,
}: {
  readonly filters: DeliveryFilters;
  readonly set: (changes: Partial<Record<keyof DeliveryFilters, string | null>>) => void;
  readonly clear: () => void;
  readonly any: boolean;
}) {
  const w = useWords(DELIVERIES);
  const shown = useWords(SHOWN);
  const { language } = useLanguage();
  const rules = useAnswer<Rules>('/rules').data?.items.map(({ name }) => name) ?? [];
  const targets = useAnswer<Targets>('/targets').data?.items.map(({ target }) => target) ?? [];
  const [more, setMore] = useState(() => SELDOM.some((name) => filters[name] !== ''));
  const occasions = [...new Set([...OCCASIONS, ...(filters.occasion === '' ? [] : [filters.occasion])])];
  return (
    <Box mb="sm" component="search">
      <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }} spacing="xs">
        <TextFilter
          label={shown.delivery}
          placeholder={w.text}
          value={filters.text}
          apply={(text) => {
            set({ text });
          }}
          search
        />
        <NameFilter
          label={shown.rule}
          value={filters.rule}
          names={rules}
          apply={(rule) => {
            set({ rule });
          }}
        />
        <NameFilter
          label={shown.target}
          value={filters.target}
          names={targets}
          apply={(target) => {
            set({ target });
          }}
        />
        <Select
          size="xs"
          label={w.kind}
          placeholder={shown.all}
          clearable
          value={filters.kind || null}
          data={KINDS}
          onChange={(kind) => {
            set({ kind });
          }}
        />
      </SimpleGrid>
      {more && (
        <SimpleGrid cols={{ base: 1, xs: 2, md: 6 }} spacing="xs" mt="xs">
          <TextFilter
            label={shown.action}
            value={filters.action}
            apply={(action) => {
              set({ action });
            }}
          />
          <TextFilter
            label={shown.entity}
            placeholder="process:…"
            value={filters.entity}
            apply={(entity) => {
              set({ entity });
            }}
          />
          <TextFilter
            label={w.event}
            value={filters.event}
            apply={(event) => {
              set({ event });
            }}
          />
          <Select
            size="xs"
            label={w.occasion}
            placeholder={shown.all}
            clearable
            value={filters.occasion || null}
            data={occasions.map((value) => ({
              value,
              label: OCCASIONS.includes(value) ? (occasionWords(value, language) ?? value) : value,
            }))}
            onChange={(occasion) => {
              set({ occasion });
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
      )}
      <Group gap="md" mt={6}>
        <Anchor
          component="button"
          type="button"
          size="xs"
          py={6}
          aria-expanded={more}
          onClick={() => {
            setMore(!more);
          }}
        >
          {more ? w.fewerFilters : w.moreFilters}
        </Anchor>
        {any && (
          <Button
            variant="subtle"
            color="gray"
            size="compact-sm"
            leftSection={<IconFilterOff size={14} />}
            onClick={clear}
          >
            {shown.clearFilters}
          </Button>
        )}
      </Group>
    </Box>
  );
}
