import { Box, useComputedColorScheme } from '@mantine/core';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { json } from '@codemirror/lang-json';
import { bracketMatching } from '@codemirror/language';
import { type Diagnostic, lintGutter, setDiagnostics } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { EditorState } from '@codemirror/state';
import { EditorView, keymap, lineNumbers } from '@codemirror/view';
import { useEffect, useEffectEvent, useRef } from 'react';
import { codeLook } from './code-look.js';

/** A finding at its place; line and column from 1. */
export interface Mark {
  readonly line: number;
  readonly column: number;
  readonly length: number;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
}

/** JSON to read or to edit, with findings at their lines. Import it lazily: `parts/lazy`. */
export default function Editor({
  text,
  label,
  change,
  marks = [],
  maxHeight = 560,
}: {
  readonly text: string;
  /** What it is, for those who do not see it. */
  readonly label: string;
  /** What was typed; without it it is to read only. */
  readonly change?: (text: string) => void;
  readonly marks?: readonly Mark[];
  readonly maxHeight?: number;
}) {
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const scheme = useComputedColorScheme();
  const writable = change !== undefined;
  const changed = useEffectEvent((next: string) => change?.(next));
  const first = useEffectEvent(() => text);

  useEffect(() => {
    const dark = scheme === 'dark';
    const made = new EditorView({
      ...(box.current ? { parent: box.current } : {}),
      state: EditorState.create({
        doc: view.current?.state.doc ?? first(),
        extensions: [
          codeLook(dark, maxHeight),
          lineNumbers(),
          history(),
          bracketMatching(),
          json(),
          lintGutter(),
          highlightSelectionMatches(),
          keymap.of([
            ...defaultKeymap,
            ...historyKeymap,
            ...searchKeymap,
            ...(writable ? [indentWithTab] : []),
          ]),
          EditorState.readOnly.of(!writable),
          EditorView.contentAttributes.of({ 'aria-label': label }),
          EditorView.updateListener.of(({ docChanged, state }) => {
            if (docChanged) changed(state.doc.toString());
          }),
        ],
      }),
    });
    view.current = made;
    return () => {
      made.destroy();
    };
  }, [scheme, writable, label, maxHeight]);

  // Another text from outside; one's own typing is there already.
  useEffect(() => {
    const editor = view.current;
    if (editor && editor.state.doc.toString() !== text)
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } });
  }, [text]);

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const { doc } = editor.state;
    const found = marks.map(({ line, column, length, severity, message }): Diagnostic => {
      const at = doc.line(Math.min(Math.max(line, 1), doc.lines));
      const from = Math.min(at.from + column - 1, at.to);
      return { from, to: Math.min(from + Math.max(length, 1), doc.length), severity, message };
    });
    editor.dispatch(setDiagnostics(editor.state, found));
  }, [marks, scheme, text]);

  return <Box ref={box} />;
}
