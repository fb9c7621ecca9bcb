import {
  Alert,
  Button,
  Group,
  List,
  Modal,
  Progress,
  Select,
  Skeleton,
  Stack,
  Table,
  Text,
} from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Delivery } from '../../api/types.js';
import { exactMoment, localeOf } from '../../parts/moment.js';
import { Problem } from '../../parts/problem.js';
import { SHOWN } from '../../words/shown-words.js';
import { useLanguage, useWords } from '../../words/words.js';
import { type Act, ACT_WORD, type How, isTaking } from './acts.js';
import { actFilterOf, type DeliveryFilters } from './bulk-filter.js';
import { countAll, useBulkRun } from './bulk-run.js';
import { CodeMark } from './code-mark.js';
import { codeWords } from './code-words.js';
import { HowFields } from './how-fields.js';
import { DELIVERIES } from './words.js';

/**
 * An act on all that the list's filters find: counts first, says which are meant, then does it in batches that can be
 * stopped. What is made after it was opened is left alone.
 */
export function BulkDialog({
  act,
  filters,
  codes,
  close,
}: {
  readonly act: Act;
  readonly filters: DeliveryFilters & { readonly state: Delivery['state'] };
  /** Codes that were seen in the list. */
  readonly codes: readonly string[];
  readonly close: () => void;
}) {
  const w = useWords(DELIVERIES);
  const shown = useWords(SHOWN);
  const { language } = useLanguage();
  const word = shown[ACT_WORD[act]];
  const [now] = useState(() => Date.now());
  const [code, setCode] = useState('');
  const [how, setHow] = useState<How>({ reason: '', edited: false });
  const [total, setTotal] = useState(0);
  const filter = actFilterOf(filters, code, now);
  const count = useQuery({
    queryKey: ['act on many', act, filter],
    queryFn: () => countAll(act, filter),
    staleTime: Infinity,
    gcTime: 0,
  });
  const bulk = useBulkRun(act, filter);
  const number = (n: number): string => n.toLocaleString(localeOf(language));
  const skipped = [...bulk.skipped.values()].reduce((sum, one) => sum + one, 0);
  const looked = bulk.done + skipped;
  const running = bulk.stage === 'under way' || bulk.stage === 'stopping';
  const said = { ...how, reason: how.reason.trim() };
  const run = (): void => {
    setTotal((before) => Math.max(before, count.data ?? 0));
    void bulk.run(said);
  };

  return (
    <Modal
      opened
      centered
      size="lg"
      title={w.bulkTitle(word)}
      closeOnEscape={!running}
      closeOnClickOutside={false}
      withCloseButton={!running}
      onClose={close}
      closeButtonProps={{ 'aria-label': shown.close }}
    >
      <Stack>
        <Which filters={filters} until={filter.until} code={bulk.stage === 'ask' ? '' : code} />
        {bulk.stage === 'ask' ? (
          <form
            onSubmit={(submit) => {
              submit.preventDefault();
              run();
            }}
          >
            <Stack>
              {codes.length > 0 && (
                <Select
                  label={w.bulkCode}
                  placeholder={w.bulkAnyCode}
                  clearable
                  value={code || null}
                  onChange={(next) => {
                    setCode(next ?? '');
                  }}
                  data={codes.map((value) => {
                    const words = codeWords(value, language);
                    return { value, label: words === null ? value : `${value} · ${words}` };
                  })}
                />
              )}
              <HowFields act={act} how={how} set={setHow} />
              {count.error ? (
                <Problem error={count.error} retry={() => void count.refetch()} />
              ) : (
                <Alert color={isTaking(act) ? 'red' : 'blue'} variant="light" role="status">
                  <Text fw={600} c="var(--mantine-color-text)">
                    {count.data === undefined ? (
                      <Skeleton
                        component="span"
                        display="inline-block"
                        height={16}
                        width={160}
                        aria-label={w.bulkCounting}
                      />
                    ) : count.data === 0 ? (
                      w.bulkMatchedNone
                    ) : count.data === 1 ? (
                      w.bulkMatchedOne
                    ) : (
                      w.bulkMatched(number(count.data))
                    )}
                  </Text>
                  <Text size="sm" c="var(--mantine-color-text)">
                    {w.bulkSince}
                  </Text>
                </Alert>
              )}
              <Group justify="flex-end">
                <Button variant="default" onClick={close}>
                  {shown.close}
                </Button>
                <Button
                  type="submit"
                  color={isTaking(act) ? 'red' : 'teal'}
                  disabled={!count.data || (act === 'discard' && said.reason === '')}
                >
                  {w.bulkDo(word, count.data === undefined ? '' : number(count.data))}
                </Button>
              </Group>
            </Stack>
          </form>
        ) : (
          <Stack>
            <Progress
              value={bulk.stage === 'finished' ? 100 : (looked / Math.max(total, 1)) * 100}
              animated={running}
              size="lg"
              aria-label={word}
            />
            <Stack gap={4} role="status">
              <Text size="sm" fw={600}>
                {bulk.stage === 'finished'
                  ? w.bulkFinished
                  : bulk.stage === 'stopped'
                    ? w.bulkStopped
                    : bulk.stage === 'stopping'
                      ? w.bulkStopping
                      : w.bulkProgress(number(looked), number(total))}
              </Text>
              <Text size="sm">{w.bulkDone(number(bulk.done))}</Text>
              {skipped > 0 && (
                <>
                  <Text size="sm">{w.bulkSkipped(number(skipped))}</Text>
                  <List size="sm">
                    {[...bulk.skipped].map(([why, times]) => (
                      <List.Item key={why}>
                        {number(times)} × <CodeMark code={why} />
                      </List.Item>
                    ))}
                  </List>
                </>
              )}
            </Stack>
            {bulk.stage === 'broken' && <Problem error={bulk.error} retry={run} />}
            <Group justify="flex-end">
              {running ? (
                <Button variant="default" onClick={bulk.stop} disabled={bulk.stage === 'stopping'}>
                  {w.bulkStop}
                </Button>
              ) : (
                <Button onClick={close}>{shown.close}</Button>
              )}
            </Group>
          </Stack>
        )}
      </Stack>
    </Modal>
  );
}

/** In words which deliveries are meant. */
function Which({
  filters,
  until,
  code,
}: {
  readonly filters: DeliveryFilters & { readonly state: Delivery['state'] };
  readonly until: string;
  readonly code: string;
}) {
  const w = useWords(DELIVERIES);
  const shown = useWords(SHOWN);
  const { language } = useLanguage();
  const from = filters.since === '' ? null : exactMoment(filters.since);
  const parts: readonly (readonly [title: string, value: string])[] = [
    [shown.rule, filters.rule],
    [shown.action, filters.action],
    [w.kind, filters.kind],
    [shown.target, filters.target],
    [shown.entity, filters.entity],
    [shown.code, code],
  ];
  return (
    <Table verticalSpacing={4} aria-label={w.bulkWhich}>
      <Table.Tbody>
        <Table.Tr>
          <Table.Th w={110}>{w.bulkWhich}</Table.Th>
          <Table.Td>
            {w.bulkAll(shown[filters.state])}
            {language === 'zh' ? '，' : ', '}
            {w.bulkMade(from, exactMoment(until))}
          </Table.Td>
        </Table.Tr>
        {parts
          .filter(([, value]) => value !== '')
          .map(([title, value]) => (
            <Table.Tr key={title}>
              <Table.Th>{title}</Table.Th>
              <Table.Td style={{ overflowWrap: 'anywhere' }}>{value}</Table.Td>
            </Table.Tr>
          ))}
      </Table.Tbody>
    </Table>
  );
}
