import { Badge, Card, SimpleGrid, Text } from '@mantine/core';
import { IconClock, IconEqual, IconHelp, IconMinus, IconPencil, IconPlus } from '@tabler/icons-react';
import type { BacktestReport } from '../../api/types.js';
import { useWords } from '../../words/words.js';
import { BACKTEST_WORDS } from './words.js';

export type Counts = BacktestReport['totals'];
export type Change = keyof Counts;

export const CHANGES = ['added', 'removed', 'changed', 'moved', 'undecidable', 'same'] as const;

const LOOKS = {
  added: { colour: 'teal', icon: IconPlus },
  removed: { colour: 'red', icon: IconMinus },
  changed: { colour: 'blue', icon: IconPencil },
  moved: { colour: 'violet', icon: IconClock },
  undecidable: { colour: 'yellow', icon: IconHelp },
  same: { colour: 'gray', icon: IconEqual },
} as const satisfies Readonly<Record<Change, object>>;

/** What becomes of deliveries: an icon and a word, or a number. */
export function ChangeMark({ change, text }: { readonly change: Change; readonly text?: string }) {
  const w = useWords(BACKTEST_WORDS);
  const { colour, icon: Icon } = LOOKS[change];
  return (
    <Badge color={colour} variant="light" tt="none" leftSection={<Icon size={12} aria-hidden />}>
      {text ?? w[change]}
    </Badge>
  );
}

/** The headline numbers, a tile each. */
export function CountTiles({ counts }: { readonly counts: Counts }) {
  const w = useWords(BACKTEST_WORDS);
  const about = {
    added: w.addedAbout,
    removed: w.removedAbout,
    changed: w.changedAbout,
    moved: w.movedAbout,
    undecidable: w.undecidableAbout,
    same: w.sameAbout,
  } as const;
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 6 }} spacing="sm">
      {CHANGES.map((change) => {
        const { icon: Icon } = LOOKS[change];
        return (
          <Card key={change} withBorder padding="sm">
            <Text fz="sm" fw={600} component="div">
              <Icon size={14} aria-hidden /> {w[change]}
            </Text>
            <Text fz={28} fw={700} lh={1.2} c={counts[change] === 0 ? 'dimmed' : undefined}>
              {counts[change]}
            </Text>
            <Text fz="xs" c="dimmed">
              {about[change]}
            </Text>
          </Card>
        );
      })}
    </SimpleGrid>
  );
}

/** Deliveries of a row before and after: what is undecidable counts for neither. */
export function sumsOf({ added, removed, changed, moved, same }: Counts): {
  readonly before: number;
  readonly after: number;
} {
  const both = changed + moved + same;
  return { before: both + removed, after: both + added };
}
