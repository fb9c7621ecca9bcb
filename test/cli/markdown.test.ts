import { describe, expect, it } from '@jest/globals';
import { cell, code, codeBlock, prose } from '../../src/cli/markdown.js';

const NASTY =
  '<img src=x onerror=alert(1)> | `a` **b** [c](javascript:d) @all #1 ~l !2 www.x.y https://z &amp; \\| \u202e\n## h';

describe('text of others in Markdown', () => {
  it('is code that it cannot leave', () => {
    expect(code('plain')).toBe('`plain`');
    expect(code('a `` b')).toBe('```a `` b```');
    expect(code('`a')).toBe('`` `a ``');
    expect(code(' ')).toBe('` `');
    const made = code(NASTY);
    expect(made).toMatch(/^``(?!`).*(?<!`)``$/);
    expect(made).not.toContain('\n');
    expect(made).toContain('\\u{202e}\\n');
  });

  it('is a block that it cannot leave', () => {
    const made = codeBlock('a\n```\n</details>\n````\u001b[2J', 'text');
    expect(made).toBe('`````text\na\n```\n</details>\n````\\u{1b}[2J\n`````');
  });

  it('is text of a cell, and neither ends it nor means anything there', () => {
    const made = cell(NASTY);
    expect(made.startsWith('<code>') && made.endsWith('</code>')).toBe(true);
    const inner = made.slice('<code>'.length, -'</code>'.length);
    expect(inner).not.toMatch(/[|<>`*_[\]\n"']|\\(?!u|n)/);
    expect(inner.replaceAll(/&#\d+;/g, '')).not.toMatch(/[&#@!~(){}]/);
  });

  it('is prose without a mark, a mention, a reference or a link', () => {
    const made = prose(`${NASTY}\n1. one\n    four blanks\n- list\n=== \n> q`);
    const marks = made.replaceAll(/&(?:#\d+|nbsp);/g, '');
    expect(marks).not.toMatch(/[`*_[\]<>|#@~&=\\]/);
    for (const line of made.split('\n')) expect(line).not.toMatch(/^(?: |\d+[.)]|[-+*>#=])/);
    // A mention is found in the text that a reader sees, where an entity is what it stands for.
    const seen = made
      .replaceAll('&nbsp;', ' ')
      .replaceAll(/&#(\d+);/g, (_, point: string) => String.fromCodePoint(Number(point)));
    expect(seen).not.toMatch(/[@#~!$&%]\w|:\/\/|www\.\w/);
    expect(seen.replaceAll('\u200b', '')).toContain('@all #1 ~l !2 www.x.y https://z');
  });
});
