// Pure: the files of rule tests.
import { describe, expect, it } from '@jest/globals';
import { readCases } from '../../../src/rules/cases/case-files.js';

const CASE = { name: 'a', steps: [{ event: {} }], expect: [] };
const read = (files: Readonly<Record<string, string | object>>): ReturnType<typeof readCases> =>
  readCases(
    new Map(
      Object.entries(files).map(([name, content]) => [
        name,
        typeof content === 'string' ? content : JSON.stringify(content),
      ]),
    ),
  );

describe('files of rule tests', () => {
  it('give their cases where they stand, with what the file says for all of them', () => {
    const text = `{\r\n  "now": "2026-02-02T00:00:00Z",\r\n  "cases": [\r\n    ${JSON.stringify(CASE)},\r\n    ${JSON.stringify({ ...CASE, name: 'b', now: '2027-01-01T00:00:00Z' })}\r\n  ]\r\n}`;
    const { cases, findings } = read({
      'z/b.cases.json': `\ufeff${text}`,
      'a.cases.json': { timezone: 'UTC', calendar: 'cn', cases: [CASE] },
    });
    expect(findings).toEqual([]);
    expect(cases).toEqual([
      { file: 'a.cases.json', line: 1, case: CASE, watched: null, timezone: 'UTC', calendar: 'cn' },
      {
        file: 'z/b.cases.json',
        line: 4,
        case: { ...CASE, now: '2026-02-02T00:00:00Z' },
        watched: null,
        timezone: null,
        calendar: null,
      },
      {
        file: 'z/b.cases.json',
        line: 5,
        case: { ...CASE, name: 'b', now: '2027-01-01T00:00:00Z' },
        watched: null,
        timezone: null,
        calendar: null,
      },
    ]);
  });

  it('watch the rules beside them and those that a case names, unless they say which', () => {
    const watched = (cases: object, rules: unknown = [{ name: 'one' }, { name: 'two' }]): unknown =>
      read({ 'x/a.cases.json': cases, 'x/a.rule.json': JSON.stringify(rules) }).cases[0]?.watched;
    expect(watched({ cases: [CASE] })).toEqual(['one', 'two']);
    expect(watched({ cases: [CASE] }, { name: 'one' })).toEqual(['one']);
    const named = {
      name: 'a',
      steps: [{ event: {}, verdicts: { four: 'matched' } }],
      expect: [
        { rule: 'three', action: 'x' },
        { rule: 'one', action: 'x' },
      ],
      verdicts: { five: 'unknown' },
    };
    expect(watched({ cases: [named] })).toEqual(['one', 'two', 'three', 'five', 'four']);
    expect(watched({ rules: ['six'], cases: [named] })).toEqual(['six']);
    expect(watched({ rules: ['six'], cases: [{ ...named, rules: ['seven'] }] })).toEqual(['seven']);
    expect(watched({ cases: [named] }, 'no rule')).toBeNull();
    expect(
      read({ 'x/a.cases.json': { cases: [CASE] }, 'a.rule.json': { name: 'one' } }).cases[0]?.watched,
    ).toBeNull();
  });

  it('keep the digits of long ids', () => {
    const text =
      '{"cases": [{"name": "a", "steps": [{"event": {"id": 7072306364927985196}}], "expect": []}]}';
    const { cases, findings } = read({ 'a.cases.json': text });
    expect(findings).toEqual([]);
    expect(cases[0]?.case.steps).toEqual([{ event: { id: '7072306364927985196' } }]);
  });

  it('give no case when something of their form is wrong, and say what', () => {
    const { cases, findings } = read({
      'a.cases.json': { cases: [CASE] },
      'b.cases.json': { cases: [CASE, { ...CASE, name: 'b', stpes: [] }] },
      'c.cases.json': '{"cases": [}',
      'd.cases.json': '{"cases": [], "cases": []}',
      'e.cases.json': [],
    });
    expect(cases.map(({ file }) => file)).toEqual(['a.cases.json']);
    expect(findings.map(({ file, code, mend }) => [file, code, mend])).toEqual([
      ['b.cases.json', 'CASES_INVALID', 'Did you mean "steps"?'],
      ['c.cases.json', 'JSON_INVALID', expect.any(String)],
      ['d.cases.json', 'JSON_KEY_TWICE', expect.any(String)],
      ['e.cases.json', 'CASES_INVALID', 'Write {"cases": [ … ]}.'],
    ]);
  });

  it.each([
    [
      { steps: [{ evnet: {} }] },
      'a step is an event, a time that passes, or what look-ups answer',
      'Did you mean "event"?',
    ],
    [
      { steps: [{ event: {}, advance: '1h' }] },
      'a step is one thing, and this one is event and advance',
      undefined,
    ],
    [
      { steps: [{ advance: '8 work hours' }] },
      '"advance" must be a duration like "25h", or a date-time with its zone; time passes for everybody, at work or not',
      undefined,
    ],
    [
      { steps: [{ advance: '2026-01-05' }] },
      '"advance" must be a duration like "25h", or a date-time with its zone',
      undefined,
    ],
    [{ steps: [] }, '"steps" must not be empty', undefined],
    [{ now: '2026-01-05' }, '"now" must be a date-time with its zone', undefined],
    [
      { verdicts: { a: 'not-matched' } },
      '"verdict" is none of matched, not matched, unknown, error, skipped',
      'Did you mean "not matched"?',
    ],
    [{ verdicts: { a: {} } }, '"verdict" is missing in a verdict', undefined],
    [{ expect: [{ rule: 'a' }] }, '"action" is missing in an expected delivery', undefined],
    [{ expect: undefined }, 'the case expects nothing: it has neither "expect" nor "verdicts"', undefined],
  ])('say how to mend %j', (more, message, mend) => {
    const { findings } = read({ 'a.cases.json': { cases: [{ ...CASE, ...more }] } });
    expect(findings).toEqual([
      expect.objectContaining({ code: 'CASES_INVALID', message, ...(mend === undefined ? {} : { mend }) }),
    ]);
  });
});
