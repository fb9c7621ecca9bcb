import { Button, Group, SegmentedControl, Select, TextInput, Tooltip } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useMay } from '../../api/session.js';
import { useCatalogue } from '../../api/queries.js';
import { SHOWN } from '../../words/shown-words.js';
import { useLabel, useWords } from '../../words/words.js';
import { TRY_WORDS } from './words.js';

/** Which events it is tried on, as it stands in the address. */
export interface Order {
  readonly events: '50' | '500' | 'one';
  readonly event: string;
  readonly type: string;
}

/** What it is tried on, and the button that does. */
export function OrderForm({
  order,
  set,
  run,
  busy,
  ready,
}: {
  readonly order: Order;
  readonly set: (changes: Partial<Record<keyof Order, string>>) => void;
  readonly run: () => void;
  readonly busy: boolean;
  readonly ready: boolean;
}) {
  const w = useWords(TRY_WORDS);
  const shown = useWords(SHOWN);
  const may = useMay('operator');
  const labelOf = useLabel();
  const catalogue = useCatalogue();
  const types = catalogue?.items.map(({ eventType, label }) => ({
    value: eventType,
    label: `${labelOf(label) ?? ''} ${eventType}`,
  }));
  const off = !may || !ready;
  return (
    <Group gap="sm" align="flex-end">
      <SegmentedControl
        aria-label={w.events}
        value={order.events}
        data={[
          { value: '50', label: w.last(50) },
          { value: '500', label: w.last(500) },
          { value: 'one', label: w.oneEvent },
        ]}
        onChange={(events) => set({ events })}
      />
      {order.events === 'one' ? (
        <TextInput
          aria-label={w.eventId}
          placeholder={w.eventId}
          value={order.event}
          maxLength={100}
          style={{ flex: '1 1 16rem' }}
          maw={380}
          onChange={(change) => set({ event: change.currentTarget.value.trim() })}
        />
      ) : (
        <Select
          aria-label={w.type}
          placeholder={w.anyType}
          clearable
          searchable
          value={order.type === '' ? null : order.type}
          data={types ?? []}
          style={{ flex: '1 1 16rem' }}
          maw={380}
          onChange={(type) => set({ type: type ?? '' })}
        />
      )}
      <Tooltip label={may ? w.runKeys : shown.needsOperator}>
        <Button
          leftSection={<IconPlayerPlay size={16} aria-hidden />}
          loading={busy}
          {...(off ? { 'data-disabled': true, 'aria-disabled': true } : {})}
          onClick={() => {
            if (!off) run();
          }}
        >
          {w.run}
        </Button>
      </Tooltip>
    </Group>
  );
}
