import { Alert, Card, Group, Skeleton, Stack, Text } from '@mantine/core';
import { IconLock, IconShieldCheck } from '@tabler/icons-react';
import { useState } from 'react';
import { useAnswer } from '../../api/queries.js';
import { useMay } from '../../api/session.js';
import type { Rules, RuleSetAnswer } from '../../api/types.js';
import { useFilters } from '../../parts/filters.js';
import { To } from '../../parts/links.js';
import { PageHead } from '../../parts/page-head.js';
import { Problem } from '../../parts/problem.js';
import { useWords } from '../../words/words.js';
import { Bench } from './bench.js';
import { useDrafts } from './drafts.js';
import { FileChoice } from './file-choice.js';
import { NewFile } from './new-file.js';
import { TRY_WORDS } from './words.js';

/**
 * A copy of a rule file to edit, and what it would do with the last events. Comes from a rule (`?rule=`), an event (`?event=`)
 * or a file (`?path=`); nothing of it is stored but the text in this tab.
 */
export default function TryPad() {
  const w = useWords(TRY_WORDS);
  const may = useMay('operator');
  const { filters, set } = useFilters(['rule', 'path', 'event', 'events', 'type']);
  const rules = useAnswer<Rules>('/rules', {}, { every: 30_000 });
  const live = useAnswer<RuleSetAnswer>(
    '/rule-sets/live',
    {},
    { when: rules.data?.ruleSet !== null, every: 30_000 },
  );
  const kept = useDrafts();
  const [adding, setAdding] = useState(false);

  const files = live.data?.files ?? [];
  const ofRule = rules.data?.items.find(({ name }) => name === filters.rule)?.file;
  const path = filters.path !== '' ? filters.path : (ofRule ?? '');
  const known = live.data !== undefined && (files.includes(path) || kept.drafts[path] !== undefined);
  const waits = rules.isPending || (rules.data?.ruleSet !== null && live.isPending);
  const error = rules.error ?? live.error;
  const others = Object.keys(kept.drafts).filter((one) => one !== path);
  const choose = (next: string): void => set({ path: next, rule: null });

  return (
    <>
      <PageHead
        title={w.title}
        about={
          <Group gap={6} wrap="nowrap" align="flex-start">
            <IconShieldCheck size={18} aria-hidden style={{ flex: 'none' }} />
            <span>
              <Text span inherit fw={600} c="var(--mantine-color-text)">
                {w.promise}
              </Text>{' '}
              {w.promiseMore}
            </span>
          </Group>
        }
      />
      <Stack>
        {!may && (
          <Alert color="gray" icon={<IconLock />} title={w.viewersTitle}>
            {w.viewersAbout}
          </Alert>
        )}
        {error && (
          <Problem
            error={error}
            retry={() => {
              void rules.refetch();
              void live.refetch();
            }}
          />
        )}
        {waits && !error ? (
          <>
            <Skeleton height={66} />
            <Skeleton height={420} />
          </>
        ) : (
          rules.data && (
            <>
              <Card withBorder padding="sm">
                <FileChoice
                  rules={rules.data.items}
                  files={files}
                  drafts={kept.drafts}
                  path={known ? path : ''}
                  choose={choose}
                  add={() => setAdding(true)}
                />
                {others.length > 0 && (
                  <Text fz="sm" mt="xs" component="div">
                    {w.otherEdits}{' '}
                    {others.map((one, at) => (
                      <span key={one}>
                        {at > 0 && ', '}
                        <To href={addressOf(one, filters)}>{one}</To>
                      </span>
                    ))}
                  </Text>
                )}
              </Card>
              {known ? (
                <Bench
                  key={path}
                  path={path}
                  isLive={files.includes(path)}
                  draft={kept.drafts[path] ?? null}
                  put={kept.put}
                  drop={() => {
                    kept.drop(path);
                    if (!files.includes(path)) set({ path: null, rule: null });
                  }}
                  filters={filters}
                  set={set}
                />
              ) : (
                <Card withBorder padding="xl">
                  <Text ta="center" fw={600}>
                    {w.noFile}
                  </Text>
                  <Text ta="center" c="dimmed" fz="sm" mt={4}>
                    {w.noFileAbout}
                  </Text>
                </Card>
              )}
            </>
          )
        )}
      </Stack>
      {adding && (
        <NewFile
          taken={[...files, ...Object.keys(kept.drafts)]}
          close={() => setAdding(false)}
          begin={(next, text) => {
            kept.put({ path: next, text, base: null });
            choose(next);
            setAdding(false);
          }}
        />
      )}
    </>
  );
}

/** The try pad with another file, and the events that are chosen. */
function addressOf(
  path: string,
  { event, events, type }: Readonly<Record<'event' | 'events' | 'type', string>>,
): string {
  const search = new URLSearchParams({ path });
  for (const [name, value] of Object.entries({ event, events, type }))
    if (value !== '') search.set(name, value);
  return `/try?${search.toString()}`;
}
