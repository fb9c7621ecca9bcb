import { Button, Checkbox, Group, Text } from '@mantine/core';
import { useState } from 'react';
import { useMay } from '../../api/session.js';
import type { Delivery } from '../../api/types.js';
import { OperatorButton } from '../../parts/operator-button.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { type Act, ACT_WORD, actsOf, ACTS, isTaking } from './acts.js';
import { ActDialog } from './act-dialog.js';
import { BulkDialog } from './bulk-dialog.js';
import { type DeliveryFilters, withoutCounterpart } from './bulk-filter.js';
import { DELIVERIES } from './words.js';

/** What can be done with the rows that are chosen, and with all that the filters find. */
export function ActsBar({
  rows,
  chosen,
  choose,
  filters,
}: {
  readonly rows: readonly Delivery[];
  readonly chosen: ReadonlySet<string>;
  readonly choose: (ids: readonly string[]) => void;
  readonly filters: DeliveryFilters;
}) {
  const w = useWords(DELIVERIES);
  const shown = useWords(SHOWN);
  const may = useMay('operator');
  const [one, setOne] = useState<{ readonly act: Act; readonly ids: readonly string[] } | null>(null);
  const [many, setMany] = useState<Act | null>(null);
  const those = rows.filter(({ id }) => chosen.has(id));
  const able = rows.filter(({ state }) => actsOf(state).length > 0);
  const state = filters.state === '' ? null : (filters.state as Delivery['state']);
  const names = { text: shown.delivery, event: w.event, occasion: w.occasion };
  const missing = withoutCounterpart(filters).map((name) => names[name]);
  const why =
    state === null
      ? w.bulkNeedsState
      : actsOf(state).length === 0
        ? w.bulkNothing
        : missing.length > 0
          ? w.bulkNoPart(missing.join(', '))
          : null;
  return (
    <Group justify="space-between" mb="xs" gap="sm" mih={34}>
      {may && (
        <Group gap="sm">
          {able.length > 0 && (
            <Checkbox
              size="sm"
              label={those.length === 0 ? w.chooseAll : w.chosen(those.length)}
              checked={those.length > 0 && those.length === able.length}
              indeterminate={those.length > 0 && those.length < able.length}
              onChange={() => {
                choose(those.length === able.length ? [] : able.map(({ id }) => id));
              }}
            />
          )}
          {ACTS.map((act) => {
            const ids = those.filter((row) => actsOf(row.state).includes(act)).map(({ id }) => id);
            return (
              ids.length > 0 && (
                <Button
                  key={act}
                  size="xs"
                  variant="light"
                  color={isTaking(act) ? 'red' : 'teal'}
                  onClick={() => {
                    setOne({ act, ids });
                  }}
                >
                  {w.bulkDo(shown[ACT_WORD[act]], String(ids.length))}
                </Button>
              )
            );
          })}
        </Group>
      )}
      <Group gap="xs" ml="auto">
        {state !== null && why === null && rows.length > 0 ? (
          <>
            <Text size="sm">{w.allThatFit}</Text>
            {actsOf(state).map((act) => (
              <OperatorButton
                key={act}
                size="xs"
                variant="default"
                onClick={() => {
                  setMany(act);
                }}
              >
                {shown[ACT_WORD[act]]} …
              </OperatorButton>
            ))}
          </>
        ) : (
          may && (
            <Text size="xs" c="dimmed" maw={480} ta="right">
              {why}
            </Text>
          )
        )}
      </Group>
      {one && (
        <ActDialog
          act={one.act}
          ids={one.ids}
          close={() => {
            setOne(null);
            choose([]);
          }}
        />
      )}
      {many && state !== null && (
        <BulkDialog
          act={many}
          filters={{ ...filters, state }}
          codes={[...new Set(rows.flatMap(({ code }) => code ?? []))].sort()}
          close={() => {
            setMany(null);
            choose([]);
          }}
        />
      )}
    </Group>
  );
}
