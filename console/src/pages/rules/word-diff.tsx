import { presentableDiff } from '@codemirror/merge';
import { useMemo } from 'react';
import { type Piece, Pieces } from './pieces.js';

/** What changed from one sentence to another. Import it lazily: it brings what compares. */
export default function WordDiff({ before, after }: { readonly before: string; readonly after: string }) {
  const pieces = useMemo(() => piecesOf(plain(before), plain(after)), [before, after]);
  return <Pieces pieces={pieces} />;
}

/** Names of fields without the marks that make them code. */
function plain(sentence: string): string {
  return sentence.replace(/`([\w.-]+)`/g, '$1');
}

function piecesOf(before: string, after: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const { fromA, toA, fromB, toB } of presentableDiff(before, after)) {
    pieces.push(
      { kind: 'same', text: after.slice(at, fromB) },
      { kind: 'removed', text: before.slice(fromA, toA) },
      { kind: 'added', text: after.slice(fromB, toB) },
    );
    at = toB;
  }
  pieces.push({ kind: 'same', text: after.slice(at) });
  return pieces.filter(({ text }) => text !== '');
}
