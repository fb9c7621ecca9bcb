import { defaultHighlightStyle, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

const DARK = HighlightStyle.define([
  { tag: tags.propertyName, color: '#8ecae6' },
  { tag: tags.string, color: '#a7d7a0' },
  { tag: tags.number, color: '#f2b880' },
  { tag: [tags.bool, tags.null], color: '#d8a8f0' },
]);

/** The nonce of the page, without which the browser refuses the editor's styles. */
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';

/** How code looks wherever an editor shows it: colours, frame, long lines. `maxHeight` in pixels. */
export function codeLook(dark: boolean, maxHeight: number): Extension {
  return [
    EditorView.cspNonce.of(nonce),
    syntaxHighlighting(dark ? DARK : defaultHighlightStyle),
    EditorView.lineWrapping,
    EditorView.theme(
      {
        '&': {
          fontSize: '13px',
          maxHeight: `${maxHeight}px`,
          border: '1px solid var(--mantine-color-default-border)',
          borderRadius: 'var(--mantine-radius-sm)',
          backgroundColor: 'var(--mantine-color-body)',
        },
        '.cm-scroller': { fontFamily: 'var(--mantine-font-family-monospace)', overflow: 'auto' },
        '.cm-gutters': {
          backgroundColor: 'var(--mantine-color-default-hover)',
          color: 'var(--mantine-color-dimmed)',
          border: 'none',
        },
      },
      { dark },
    ),
  ];
}
