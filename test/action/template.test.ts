import { describe, expect, it } from '@jest/globals';
import { RenderError, renderTemplate } from '../../src/action/render-template.js';
import { parseTemplate, TemplateError } from '../../src/action/template.js';
import { scopeOf } from '../support/scope.js';

const EVENT = {
  status: 3,
  process_id: '7072306364927985196',
  nothing: null,
  empty: '',
  yes: true,
  list: ['a', { b: 'c' }],
  create_time: 1_608_725_989_000,
  seconds: '1608725989',
  html: '<b>"x" & \'y\'</b>',
  hostile: '{{ secrets.TOKEN }} {{constructor.constructor("return 1")()}} ${1} <%= 1 %>',
  'with space': 's',
  long: '审批👨‍👩‍👧通过了',
};
const render = (text: string, encode?: (text: string) => string): unknown => {
  const rendered = renderTemplate(
    parseTemplate(text),
    scopeOf(
      EVENT,
      { name: 'renewal', labels: { team: 'hr' } },
      {
        task: { previousStatus: 3, age: 1000 },
        process: { tasks: 2 },
        items: [{ event: { status: 3 }, rows: [['a', 'b']] }],
      },
    ),
    encode,
  );
  return 'value' in rendered ? rendered.value : rendered.pieces;
};

describe('templates', () => {
  it.each([
    ['plain text', 'plain text'],
    ['', ''],
    ['{{ event.status }}', 3],
    ['{{event.status}}', 3],
    ['is {{ event.status }}.', 'is 3.'],
    ['{{ event.nothing }}', null],
    ['[{{ event.nothing }}]', '[]'],
    ['{{ event.yes }}', true],
    ['{{ event.list }}', ['a', { b: 'c' }]],
    ['{{ event.list[1].b }}', 'c'],
    ['{{ event["with space"] }}', 's'],
    ['x{{ event.list }}', 'x["a",{"b":"c"}]'],
    ['{{ event.status | label: "zh" }}', '已完成'],
    ['{{ event.status | label }}', 'done'],
    ['{{ event.process_id | label: "en" }}', '7072306364927985196'],
    ['{{ event.missing | default: "none" }}', 'none'],
    ['{{ event.empty | default: 0 }}', 0],
    ['{{ event.missing | default: null }}', null],
    ['{{ event.create_time | date }}', '2020-12-23 20:19'],
    ['{{ event.seconds | date: "yyyy-MM-dd HH:mm:ss", "UTC" }}', '2020-12-23 12:19:49'],
    ['{{ now | date: "HH:mm" }}', '17:00'],
    ['{{ event.list | json }}', '["a",{"b":"c"}]'],
    ['{{ event.long | truncate: 4 }}', '审批👨‍👩‍👧…'],
    ['{{ event.html | escape }}', '&lt;b&gt;&quot;x&quot; &amp; &#39;y&#39;&lt;/b&gt;'],
    ['{{ rule.name }}/{{ rule.labels.team }}', 'renewal/hr'],
    ['{{ event.status }}{{ event.status }}', '33'],
    ['{{ task.age }}', 1000],
    ['{{ task.previousStatus | label: "zh" }} > {{ event.status | label: "zh" }}', '已完成 > 已完成'],
    ['{{ process.tasks | label }}', 2],
    ['{{ process.status | default: "not known" }}', 'not known'],
    ['{{ items.0.event.status }}/{{ items[0].event.status }}', '3/3'],
    ['{{ items.0.rows.0.1 }}', 'b'],
    ['{{ items }}', [{ event: { status: 3 }, rows: [['a', 'b']] }]],
    ['{{ event.missing | default: 1.5 }}', 1.5],
  ])('%s', (text, expected) => {
    expect(render(text)).toEqual(expected);
  });

  it('never reads what an event carries as a template', () => {
    expect(render('{{ event.hostile }}')).toBe(EVENT.hostile);
    expect(render('a {{ event.hostile }}')).toBe(`a ${EVENT.hostile}`);
  });

  it('reads own members only', () => {
    for (const path of [
      'event.constructor',
      'event.__proto__',
      'event.list.constructor',
      'event.process_id.length',
    ]) {
      expect(() => render(`{{ ${path} }}`)).toThrow(RenderError);
    }
  });

  it('keeps secrets as references, never as text', () => {
    expect(render('Bearer {{ secrets.TOKEN }}')).toEqual(['Bearer ', { secret: 'TOKEN' }]);
    expect(render('{{ secrets.TOKEN }}')).toEqual([{ secret: 'TOKEN' }]);
  });

  it('encodes values and leaves the text of the author alone', () => {
    expect(render('<i>{{ event.html }}</i>', (text) => text.replaceAll('<', '&lt;'))).toContain('<i>&lt;b>');
  });

  it.each([
    '{{ event.missing }}',
    '{{ event.missing | upcase }}',
    'x {{ event.status.deep }}',
    '{{ event.html | date }}',
  ])('refuses to fill %s', (text) => {
    expect(() => render(text)).toThrow(RenderError);
  });

  it('refuses values that are too deep or too long to send', () => {
    const deep = JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`) as unknown;
    for (const value of [deep, 'x'.repeat(300_000)]) {
      expect(() => renderTemplate(parseTemplate('{{ event.v }}'), scopeOf({ v: value }))).toThrow(
        RenderError,
      );
      expect(() => renderTemplate(parseTemplate('{{ event.v | json }}'), scopeOf({ v: value }))).toThrow(
        RenderError,
      );
    }
  });

  it.each([
    ['{{ event.status', 0],
    ['ab {{ event.status }', 3],
    ['a }} b', 2],
    ['{{ }}', 0],
    ['{{ event }}', 0],
    ['{{ now.year }}', 0],
    ['{{ task }}', 0],
    ['{{ process }}', 0],
    ['{{ global.process }}', 0],
    ['{{ items.-1 }}', 0],
    ['{{ items.0x }}', 0],
    ['{{ event.missing | default: 2026-01-01 }}', 0],
    ['{{ event.status | eval }}', 0],
    ['{{ event.status | constructor }}', 0],
    ['{{ event.status | truncate }}', 0],
    ['{{ event.status | truncate: "x" }}', 0],
    ['{{ event.status | label: "fr" }}', 0],
    ['{{ event.status | date: "HH", "Mars/Base" }}', 0],
    ['{{ event.status | default: event.type }}', 0],
    ['{{ secrets.TOKEN | upcase }}', 0],
    ['{{ secrets["../../etc/passwd"] }}', 0],
    ['{{ "a|b" | upcase }}', 0],
    ['{{ event.a + 1 }}', 0],
    ['{{ event.a() }}', 0],
    ['{{#if event.a}}', 0],
  ])('refuses %j', (text, offset) => {
    try {
      parseTemplate(text);
      throw new Error('was accepted');
    } catch (error) {
      expect(error).toBeInstanceOf(TemplateError);
      expect(Math.abs((error as TemplateError).offset - offset)).toBeLessThanOrEqual(2);
      expect((error as TemplateError).mend).not.toBe('');
    }
  });
});
