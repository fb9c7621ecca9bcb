import { Badge, Tooltip } from '@mantine/core';
import type { RuleSummary } from '../../api/types.js';
import { useWords } from '../../words/words.js';
import { SHADOW_WORDS } from './shadow-words.js';

/** That a rule sends nothing; of a live one nothing is said. */
export function ShadowMark({ mode }: Pick<RuleSummary, 'mode'>) {
  const w = useWords(SHADOW_WORDS);
  if (mode === 'live') return null;
  return (
    <Tooltip label={w.markAbout}>
      <Badge color="grape" variant="light" flex="none">
        {w.shadow}
      </Badge>
    </Tooltip>
  );
}
