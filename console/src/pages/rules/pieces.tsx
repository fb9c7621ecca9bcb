import { Box, VisuallyHidden } from '@mantine/core';
import { useWords } from '../../words/words.js';
import './pieces.css';
import { RULES_WORDS } from './words.js';

export interface Piece {
  readonly kind: 'same' | 'removed' | 'added';
  readonly text: string;
}

/** A text with what was taken out struck through and what came underlined; told in words to those who hear it. */
export function Pieces({ pieces }: { readonly pieces: readonly Piece[] }) {
  const w = useWords(RULES_WORDS);
  return (
    <Box fz="sm" lh={1.7} className="pieces">
      {pieces.map(({ kind, text }, at) =>
        kind === 'same' ? (
          <span key={at}>{text}</span>
        ) : kind === 'removed' ? (
          <del key={at}>
            <VisuallyHidden>{w.pieceRemoved} </VisuallyHidden>
            {text}
          </del>
        ) : (
          <ins key={at}>
            <VisuallyHidden>{w.pieceAdded} </VisuallyHidden>
            {text}
          </ins>
        ),
      )}
    </Box>
  );
}
