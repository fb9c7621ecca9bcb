import { Box, useComputedColorScheme } from '@mantine/core';
import { json } from '@codemirror/lang-json';
import { MergeView, unifiedMergeView } from '@codemirror/merge';
import { EditorState } from '@codemirror/state';
import { EditorView, lineNumbers } from '@codemirror/view';
import { useEffect, useRef } from 'react';
import { useLanguage } from '../words/words.js';
import { codeLook } from './code-look.js';
import './merge.css';
import { useNarrow } from './narrow.js';

/**
 * Two texts of JSON and what differs: side by side, on a phone or where there is little room one in the other. To read only.
 * Import it lazily: `parts/lazy-merge`.
 */
export default function Merge({
  before,
  after,
  label,
  narrow = false,
  maxHeight = 480,
}: {
  readonly before: string;
  readonly after: string;
  /** What it is, for those who do not see it. */
  readonly label: string;
  /** Never side by side. */
  readonly narrow?: boolean;
  readonly maxHeight?: number;
}) {
  const box = useRef<HTMLDivElement>(null);
  const { language } = useLanguage();
  const dark = useComputedColorScheme() === 'dark';
  const phone = useNarrow('62em');
  const unified = narrow || phone;
  useEffect(() => {
    const parent = box.current;
    if (!parent) return;
    const extensions = [
      codeLook(dark, unified ? maxHeight : 100_000),
      lineNumbers(),
      json(),
      EditorState.readOnly.of(true),
      EditorState.phrases.of(language === 'zh' ? { '$ unchanged lines': '$ 行未变' } : {}),
      EditorView.contentAttributes.of({ 'aria-label': label }),
    ];
    const collapseUnchanged = { margin: 3, minSize: 6 };
    const made = unified
      ? new EditorView({
          parent,
          doc: after,
          extensions: [
            extensions,
            unifiedMergeView({ original: before, mergeControls: false, collapseUnchanged }),
          ],
        })
      : new MergeView({
          parent,
          a: { doc: before, extensions },
          b: { doc: after, extensions },
          collapseUnchanged,
          gutter: true,
        });
    return () => {
      made.destroy();
    };
  }, [before, after, label, language, unified, dark, maxHeight]);
  return <Box ref={box} className="merge" style={unified ? {} : { maxHeight, overflow: 'auto' }} />;
}
