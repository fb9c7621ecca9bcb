import { Anchor, Autocomplete, Box, Button, Group, Select, SimpleGrid, Text } from '@mantine/core';
import { IconFilterOff } from '@tabler/icons-react';
import { useState } from 'react';
import { useCatalogue } from '../../api/queries.js';
import { type FilterProps, TextFilter, useTyped } from '../../parts/filter-fields.js';
import { MomentInput } from '../../parts/moment-input.js';
import { SHOWN } from '../../words/shown-words.js';
import { useLabel, useWords } from '../../words/words.js';
import { statusesOf } from './known-types.js';
import type { EventFilters } from './event-query.js';
import { EVENTS } from './words.js';

const SOURCES = ['feishu-webhook', 'feishu-long-connection', 'webhook', 'reconcile', 'schedule'];

/** What narrows the list of events down. A text is looked for with Enter, or when the field is left. */
export function EventFilterBar({
  filters,
  set,
  clear,
  any,
}: {
  readonly filters: EventFilters;
  readonly set: (changes: Partial<Record<keyof EventFilters, string | null>>) => void;
  readonly clear: () => void;
  readonly any: boolean;
}) {
  const w = useWords(EVENTS);
  const shown = useWords(SHOWN);
  const say = useLabel();
  const catalogue = useCatalogue()?.items ?? [];
  const hasMore = [filters.biz_type, filters.entity, filters.source, filters.since, filters.until].some(
    (one) => one !== '',
  );
  const [more, setMore] = useState(hasMore);
  const labels = new Map(catalogue.map(({ eventType, label }) => [eventType, say(label)]));
  const statuses = statusesOf(catalogue, filters.type);
  return (
    <Box mb="md" component="search">
      <SimpleGrid cols={{ base: 1, xs: 2, md: 6 }} spacing="xs">
        <TextFilter
          label={shown.event}
          value={filters.text}
          apply={(text) => set({ text })}
          placeholder={w.find}
          search
        />
        <TypeFilter
          label={shown.type}
          value={filters.type}
          apply={(type) => set({ type })}
          placeholder={w.anyType}
          suggestions={catalogue.map(({ eventType }) => ({ value: eventType, about: labels.get(eventType) }))}
        />
        <TypeFilter
          label={w.status}
          value={filters.status}
          apply={(status) => set({ status })}
          placeholder={w.statusHint}
          suggestions={statuses.map(({ value, label }) => ({
            value: say(label) ?? String(value),
            about: String(value),
          }))}
        />
        <Select
          size="xs"
          label={shown.verdict}
          placeholder={w.any}
          clearable
          value={filters.verdict || null}
          onChange={(verdict) => set({ verdict })}
          data={[
            { value: 'matched', label: shown.matched },
            { value: 'not matched', label: shown.notMatched },
            { value: 'unknown', label: shown.unknown },
            { value: 'error', label: shown.error },
          ]}
        />
        <Select
          size="xs"
          label={shown.state}
          placeholder={w.any}
          clearable
          value={filters.state || null}
          onChange={(state) => set({ state })}
          data={(['undecided', 'waiting', 'decided', 'quarantined'] as const).map((value) => ({
            value,
            label: shown[value],
          }))}
        />
        <Select
          size="xs"
          label={w.period}
          allowDeselect={false}
          value={filters.since !== '' || filters.until !== '' ? 'exact' : filters.last || 'any'}
          onChange={(last) => {
            if (last === 'exact') setMore(true);
            else set({ last: last === 'any' ? null : last, since: null, until: null });
          }}
          data={[
            { value: 'any', label: w.anyTime },
            { value: '1h', label: w.lastHour },
            { value: '24h', label: w.lastDay },
            { value: '7d', label: w.lastWeek },
            { value: 'exact', label: w.exactTime },
          ]}
        />
      </SimpleGrid>
      {more && (
        <SimpleGrid cols={{ base: 1, xs: 2, md: 5 }} spacing="xs" mt="xs">
          <TextFilter label={w.bizType} value={filters.biz_type} apply={(text) => set({ biz_type: text })} />
          <TextFilter
            label={shown.entity}
            value={filters.entity}
            apply={(entity) => set({ entity })}
            placeholder={w.entityHint}
          />
          <Select
            size="xs"
            label={w.source}
            placeholder={w.any}
            clearable
            value={filters.source || null}
            onChange={(source) => set({ source })}
            data={SOURCES}
          />
          <MomentInput
            size="xs"
            label={shown.since}
            value={filters.since}
            change={(since) => set({ since, last: null })}
          />
          <MomentInput
            size="xs"
            label={shown.until}
            value={filters.until}
            change={(until) => set({ until, last: null })}
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

/** A text with suggestions, each with what it means beside it. */
function TypeFilter({
  label,
  value,
  apply,
  placeholder = '',
  suggestions,
}: FilterProps & {
  readonly suggestions: readonly {
    readonly value: string;
    readonly about: string | null | undefined;
  }[];
}) {
  const [typed, setTyped] = useTyped(value);
  const about = new Map(suggestions.map((one) => [one.value, one.about]));
  return (
    <Autocomplete
      size="xs"
      label={label}
      placeholder={placeholder}
      maxLength={128}
      value={typed}
      clearable
      comboboxProps={{ width: 'max-content', position: 'bottom-start' }}
      data={[...about.keys()]}
      filter={({ options }) => {
        const wanted = typed.trim().toLowerCase();
        // What is chosen already does not hide the others.
        if (wanted === value.toLowerCase()) return options;
        return options.filter(
          (one) =>
            'value' in one && `${one.value} ${about.get(one.value) ?? ''}`.toLowerCase().includes(wanted),
        );
      }}
      renderOption={({ option }) => (
        <Box>
          <Text size="sm">{about.get(option.value) ?? option.value}</Text>
          {about.get(option.value) && (
            <Text size="xs" ff="monospace" opacity={0.8}>
              {option.value}
            </Text>
          )}
        </Box>
      )}
      onChange={(text) => {
        setTyped(text);
        if (text === '' && value !== '') apply('');
      }}
      onOptionSubmit={apply}
      onBlur={() => {
        if (typed.trim() !== value) apply(typed.trim());
      }}
      onKeyDown={(key) => {
        if (key.key === 'Enter' && typed.trim() !== value) apply(typed.trim());
      }}
    />
  );
}
