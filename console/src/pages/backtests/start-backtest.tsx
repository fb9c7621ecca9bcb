import { Select, Stack, Text } from '@mantine/core';
import { IconHistoryToggle } from '@tabler/icons-react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { api, segment } from '../../api/client.js';
import { askAgain } from '../../api/queries.js';
import type { Backtest, NewBacktest } from '../../api/types.js';
import { Confirm } from '../../parts/confirm.js';
import { OperatorButton } from '../../parts/operator-button.js';
import { useWords } from '../../words/words.js';
import { BACKTEST_WORDS } from './words.js';

const DAYS = [1, 7, 30, 90] as const;
const DAY_MS = 86_400_000;

/** Asks over which time, starts a back-test, and goes to it. */
export function StartBacktest({
  after,
  before = 'live',
}: {
  readonly after: NewBacktest['after'];
  readonly before?: string;
}) {
  const w = useWords(BACKTEST_WORDS);
  const [, go] = useLocation();
  const [asking, setAsking] = useState(false);
  const [days, setDays] = useState('30');
  return (
    <>
      <OperatorButton
        size="xs"
        variant="default"
        leftSection={<IconHistoryToggle size={14} aria-hidden />}
        onClick={() => setAsking(true)}
      >
        {w.start}
      </OperatorButton>
      {asking && (
        <Confirm
          title={w.startTitle}
          act={w.begin}
          close={() => setAsking(false)}
          done={async () => {
            const since = new Date(Date.now() - Number(days) * DAY_MS).toISOString();
            const body: Partial<NewBacktest> = { after, before, since };
            const { id } = await api.post<Backtest>('/backtests', body);
            await askAgain('/backtests');
            go(`/backtests/${segment(id)}`);
          }}
        >
          <Stack>
            <Text fz="sm">{w.startAbout}</Text>
            <Select
              label={w.period}
              data={DAYS.map((one) => ({ value: String(one), label: w.days(one) }))}
              value={days}
              allowDeselect={false}
              onChange={(next) => setDays(next ?? '30')}
            />
          </Stack>
        </Confirm>
      )}
    </>
  );
}
