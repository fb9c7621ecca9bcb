import { Box, Tooltip } from '@mantine/core';
import { useState } from 'react';
import { useChanges } from '../api/stream.js';
import { useWords } from '../words/words.js';
import { SHELL } from './shell-words.js';

/** Whether changes are heard while they happen. */
export function Standing() {
  const w = useWords(SHELL);
  const [standing, setStanding] = useState(false);
  useChanges('standing', setStanding);
  const text = standing ? w.live : w.notLive;
  return (
    <Tooltip label={text}>
      <Box className="standing" data-standing={standing} role="img" aria-label={text} />
    </Tooltip>
  );
}
