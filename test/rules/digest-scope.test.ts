import { beforeAll, describe, expect, it } from '@jest/globals';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { digestScope, type Gathered } from '../../src/rules/digest-scope.js';
import type { DigestItemContent } from '../../src/rules/firing.js';
import { compileRuleSet } from '../../src/rules/rule-compiler.js';
import type { RuleSet } from '../../src/rules/rule-set.js';

const TYPE = 'corehr.process.approver.updated_v2';
const NOW = Date.parse('2026-11-03T01:00:00Z');

function item(process: string, more: Partial<DigestItemContent> = {}): DigestItemContent {
  return {
    event: { event_type: TYPE, app_id: 'cli_a', process_id: process, status: 1 },
    task: { age: 5 },
    node: {},
    process: {},
    lookup: {},
    ...more,
  };
}

describe('what the templates of a digest read', () => {
  let ruleSet: RuleSet;

  beforeAll(async () => {
    const rule = (name: string, digest: object): [string, string] => [
      `${name}.rule.json`,
      JSON.stringify({
        name,
        owner: 'hr',
        trigger: TYPE,
        conditions: { all: [{ fact: 'status', operator: 'equal', value: 1 }] },
        digest: { window: '15m', ...digest },
        actions: [
          {
            type: 'http',
            name: 'json',
            url: 'https://a.example/',
            body: { list: '{{ items }}', n: '{{ items.length }}' },
          },
          {
            type: 'http',
            name: 'text',
            url: 'https://a.example/',
            body: 'There are {{ items.length }}:\n{{ items }}',
          },
          {
            type: 'email',
            name: 'mail',
            to: ['hr@example.com'],
            subject: '{{ items.length }} by {{ rule.owner }}, first {{ items[0].event.process_id }}',
            text: '{{ items }}',
            html: '<pre>{{ items }}</pre>',
          },
          { type: 'email', name: 'html', to: ['hr@example.com'], subject: 's', html: '{{ items }}' },
          { type: 'http', name: 'third', url: 'https://a.example/{{ items[2].event.process_id }}' },
          {
            type: 'feishu-message',
            name: 'chat',
            to: { chat_id: 'oc_1' },
            text: '{{ items | truncate: 20 }}',
          },
        ],
      }),
    ];
    const files = new Map([
      rule('lines', { item: '{{ event.process_id }} {{ event.status | label: "en" }} {{ rule.name }} <b>' }),
      rule('plain', {}),
      rule('task', { item: '{{ task.age }}' }),
    ]);
    const compiled = await compileRuleSet(files, loadBuiltInCatalogue());
    if (!compiled.ruleSet) throw new Error(JSON.stringify(compiled.findings, null, 1));
    ({ ruleSet } = compiled);
  });

  /** The content of the rendered request, as it is stored. */
  function rendered(rule: string, action: string, items: readonly DigestItemContent[], total = items.length) {
    const found = ruleSet.ruleOf(rule);
    const gathered: Gathered = { items, total };
    const scope = digestScope(found!, ruleSet, gathered, { now: NOW, timezone: 'Asia/Shanghai' });
    const { request } = found!.actions.find(({ name }) => name === action)!.render(scope);
    return JSON.parse(JSON.stringify(request.content)) as Record<string, unknown>;
  }

  it('is a JSON list as a whole value', () => {
    const items = [item('p1'), item('p2')];
    expect(rendered('lines', 'json', items)['body']).toEqual({ list: items, n: 2 });
  });

  it('is one line for each item within a text', () => {
    expect(rendered('lines', 'text', [item('p1'), item('p2')])['body']).toBe(
      'There are 2:\np1 to do lines <b>\np2 to do lines <b>',
    );
  });

  it('is lines where only a text can stand, and they are escaped in HTML', () => {
    const mail = rendered('lines', 'mail', [item('<p1>'), item('p2')]);
    expect(mail).toMatchObject({
      subject: '2 by hr, first <p1>',
      text: '<p1> to do lines <b>\np2 to do lines <b>',
      html: '<pre>&lt;p1&gt; to do lines &lt;b&gt;\np2 to do lines &lt;b&gt;</pre>',
    });
    expect(rendered('lines', 'html', [item('<p1>')])['html']).toBe('&lt;p1&gt; to do lines &lt;b&gt;');
  });

  it('is JSON for each item when the rule says nothing of them', () => {
    expect(rendered('plain', 'text', [item('p1')])['body']).toBe(
      `There are 1:\n${JSON.stringify(item('p1'))}`,
    );
  });

  it('goes through filters as its lines', () => {
    expect(rendered('lines', 'chat', [item('p1'), item('p2')])['text']).toBe('p1 to do lines <b>\n…');
  });

  it('counts those that are not told of', () => {
    expect(rendered('lines', 'text', [item('p1')], 3)['body']).toBe(
      'There are 3:\np1 to do lines <b>\n… and 2 more / 另有 2 条',
    );
  });

  it('has room for so many characters: the others are counted, and the list is as long as fits', () => {
    const items = Array.from({ length: 1000 }, (_, n) =>
      item(`p${n}`, { lookup: { much: 'x'.repeat(1000) } }),
    );
    const { list, n } = rendered('plain', 'json', items)['body'] as { list: unknown[]; n: number };
    expect([n, list.length < 200, list.length > 150]).toEqual([1000, true, true]);
    expect(list).toEqual(items.slice(0, list.length));
    const text = rendered('plain', 'text', items)['body'] as string;
    const lines = text.split('\n');
    expect(lines.at(-1)).toBe(
      `… and ${1000 - (lines.length - 2)} more / 另有 ${1000 - (lines.length - 2)} 条`,
    );
    expect(text.length).toBeLessThan(201_000);
  });

  it('has no item beyond its last, and nothing of a single event', () => {
    expect(() => rendered('lines', 'third', [item('p1')])).toThrow(
      '{{ items.2.event.process_id }} has no value: the digest of 1 has no item "2.event.process_id"',
    );
  });

  it('is not half-rendered: an item that lacks what its line reads makes the message fail', () => {
    expect(() => rendered('task', 'text', [item('p1'), item('p2', { task: {} })])).toThrow(
      '{{ task.age }} has no value',
    );
    // Nothing of it is needed where the list is sent as it is.
    expect(rendered('task', 'json', [item('p1', { task: {} })])['body']).toMatchObject({ n: 1 });
  });

  it('is sent by the app that all items came from', () => {
    const of = (app: string): DigestItemContent =>
      item('p1', { event: { ...item('p1').event, app_id: app } });
    expect(rendered('lines', 'chat', [of('cli_a'), of('cli_a')])).toMatchObject({ eventApp: 'cli_a' });
    expect(rendered('lines', 'chat', [of('cli_a'), of('cli_b')])).toMatchObject({ eventApp: null });
  });

  it('reads own members of items only', () => {
    const scope = digestScope(
      ruleSet.ruleOf('plain')!,
      ruleSet,
      { items: [item('p1')], total: 1 },
      { now: NOW, timezone: 'Asia/Shanghai' },
    );
    for (const path of [
      ['items', 'constructor'],
      ['items', '0', '__proto__'],
      ['items', '0', 'event', 'constructor'],
    ])
      expect(scope.read(path)).toBeUndefined();
  });
});
