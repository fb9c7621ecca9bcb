import { useLocation } from 'wouter';
import { useAnswer } from '../../api/queries.js';
import type { Target, Targets } from '../../api/types.js';
import { type Column, List } from '../../parts/list.js';
import { Moment } from '../../parts/moment.js';
import { SHOWN } from '../../words/shown-words.js';
import { useWords } from '../../words/words.js';
import { byUrgency, HealthCell, healthOf } from '../targets/health.js';
import { StateCounts } from '../targets/state-counts.js';
import { TargetName } from '../targets/target-name.js';
import { TARGET_WORDS } from '../targets/words.js';
import { ATTENTION_WORDS } from './words.js';

/** Targets that do not take what is sent to them. */
export function TargetsPart() {
  const w = useWords(ATTENTION_WORDS);
  const shown = useWords(SHOWN);
  const targetWords = useWords(TARGET_WORDS);
  const [, go] = useLocation();
  const { data, error, refetch } = useAnswer<Targets>('/targets', {}, { every: 10_000 });
  const failing = data?.items.filter((one) => healthOf(one) !== 'closed').sort(byUrgency) ?? null;
  const columns: readonly Column<Target>[] = [
    { title: shown.target, cell: (row) => <TargetName {...row} /> },
    { title: w.health, cell: (row) => <HealthCell target={row} /> },
    { title: w.standing, cell: (row) => <StateCounts target={row} /> },
    {
      title: targetWords.failingSince,
      cell: ({ failingSince, lastFailedAt }) => <Moment time={failingSince ?? lastFailedAt} />,
    },
  ];
  return (
    <List
      label={w.targets}
      rows={failing}
      columns={columns}
      keyOf={({ target, rules }) => `${target} ${rules.join(' ')}`}
      open={({ target }) => {
        go(`/targets?${new URLSearchParams({ target })}`);
      }}
      error={data ? null : error}
      retry={() => void refetch()}
      empty={w.targetsNone}
    />
  );
}
