import { Box, Button } from '@mantine/core';
import { IconFilter } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { SHOWN } from '../words/shown-words.js';
import { useWords } from '../words/words.js';
import { useNarrow } from './narrow.js';

/** Filters, on a phone behind a button that tells how many are set: there the list comes first. */
export function FoldedFilters({
  filters,
  children,
}: {
  /** Empty: it is not set. */
  readonly filters: Readonly<Record<string, string>>;
  readonly children: ReactNode;
}) {
  const w = useWords(SHOWN);
  const narrow = useNarrow();
  const [unfolded, setUnfolded] = useState(false);
  if (!narrow) return children;
  const set = Object.values(filters).filter((one) => one !== '').length;
  return (
    <Box mb="md">
      <Button
        variant={set > 0 ? 'light' : 'default'}
        size="xs"
        mih={32}
        mb="xs"
        leftSection={<IconFilter size={14} />}
        aria-expanded={unfolded}
        onClick={() => {
          setUnfolded(!unfolded);
        }}
      >
        {set > 0 ? `${w.filters} · ${set}` : w.filters}
      </Button>
      {unfolded && children}
    </Box>
  );
}
