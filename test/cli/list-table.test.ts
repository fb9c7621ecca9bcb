// Pure.
import { describe, expect, it } from '@jest/globals';
import { ListTable } from '../../src/cli/list-table.js';
import { displayWidth } from '../../src/config/terminal-text.js';

interface Row {
  readonly id: string;
  readonly text: string;
}
const table = (width: number): ListTable<Row> =>
  new ListTable<Row>(
    [
      { head: 'id 编号', text: ({ id }) => id, whole: true },
      { head: 'text 文本', text: ({ text }) => text },
    ],
    width,
  );
const ID = '019ab3c1-5a77-7d6e-8f7e-0d3c6a5b9f10';

describe('a list as a table', () => {
  it('puts columns under their heads, Chinese too', () => {
    const lines = table(100)
      .page([
        { id: 'a', text: 'x' },
        { id: '已完成已完成', text: 'y' },
      ])
      .split('\n');
    expect(lines).toEqual(['id 编号       text 文本', 'a             x', '已完成已完成  y', '']);
  });

  it('breaks what has no room into lines, loses nothing of it, and never breaks ids', () => {
    const text = 'corehr.process.approver.updated_v2/已完成'.repeat(3);
    const lines = table(60)
      .page([{ id: ID, text }])
      .trimEnd()
      .split('\n');
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(60);
    expect(lines[1]).toContain(ID);
    const begin = ID.length + 2;
    expect(
      lines
        .slice(1)
        .map((line) => line.slice(begin).trim())
        .join(''),
    ).toBe(text);
  });

  it('keeps the columns of the first page, and prints the heads once', () => {
    const pages = table(100);
    pages.page([{ id: 'aaaa', text: 'x' }]);
    expect(pages.page([{ id: 'b', text: 'y' }])).toBe('b        y\n');
  });
});
