import { describe, expect, it } from '@jest/globals';
import type { Notice } from '../../src/action/notice-store.js';
import { noticeLink } from '../../src/rules/notice-link.js';
import { noticeText } from '../../src/rules/notice-text.js';

const AT = new Date(Date.UTC(2026, 10, 2, 9));
const PUBLIC = 'https://ops.example.com/aftersign/';

describe('the address in a notice', () => {
  it.each<[Notice['kind'], string, string]>([
    ['target-failing', 'http:a.example', 'targets'],
    ['target-recovered', 'email', 'targets'],
    ['deliveries-dead', 'http:a.example:8443', 'deliveries?state=dead&target=http%3Aa.example%3A8443'],
    // Of all mailboxes together there is no target of that name.
    ['deliveries-dead', 'email', 'deliveries?state=dead'],
    ['deliveries-dead', 'feishu', 'deliveries?state=dead'],
    ['not-rendered', 'rule:renewal-done', 'deliveries?state=dead&rule=renewal-done'],
    ['brake-held', 'rule:renewal-done', 'deliveries?state=held&rule=renewal-done'],
    ['brake-held', '*', 'deliveries?state=held'],
    ['silence-ending', '01a20f5b-7b73-7698-b90a-fcc033bccdd9', 'silences'],
    ['lookup-failing', 'process', 'events?verdict=unknown'],
  ])('of %s about %s is %s', (kind, subject, path) => {
    expect(noticeLink({ kind, subject }, PUBLIC)).toBe(`https://ops.example.com/aftersign/console/${path}`);
  });

  it('is the same whether PUBLIC_URL ends with a slash or not', () => {
    const about = { kind: 'silence-ending', subject: 'x' } as const;
    for (const url of ['https://a.example', 'https://a.example/'])
      expect(noticeLink(about, url)).toBe('https://a.example/console/silences');
  });

  it('holds whatever the subject is as a value of the filter', () => {
    const link = noticeLink({ kind: 'deliveries-dead', subject: 'http:a&state=held#x y' }, PUBLIC);
    expect([...new URL(link).searchParams]).toEqual([
      ['state', 'dead'],
      ['target', 'http:a&state=held#x y'],
    ]);
  });
});

describe('the text of a notice', () => {
  const notice: Notice = { kind: 'brake-held', subject: 'rule:a', rules: ['a'], detail: { held: 3 } };

  it('ends with the address', () => {
    const { text } = noticeText(notice, AT, 'https://a.example');
    expect(text.split('\n').at(-1)).toBe('https://a.example/console/deliveries?state=held&rule=a');
  });

  it('has none where PUBLIC_URL is not set', () => {
    const { text } = noticeText(notice, AT, null);
    expect(text).not.toContain('http');
    expect(text).toContain('aftersign deliveries list --state held');
  });
});
