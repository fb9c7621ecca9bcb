import { describe, expect, it } from '@jest/globals';
import { type Finding, formatFinding, toSarif } from '../../src/rules/finding.js';

const FINDING: Finding = {
  code: 'VALUE_TYPE',
  severity: 'error',
  file: 'a/审批.rule.json',
  line: 2,
  column: 1,
  length: 3,
  message: '"3" is a text',
  mend: 'Write 3.',
};
const format = (line: string, token: string, more: Partial<Finding> = {}): string[] =>
  formatFinding(
    { ...FINDING, column: line.indexOf(token) + 1, length: token.length, ...more },
    `{\n${line}\n}`,
  ).split('\n');
/** What stands above the carets, when every character of the excerpt is one column wide. */
const underlined = ([, source = '', carets = '']: readonly string[]): string =>
  source.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1);

describe('a finding', () => {
  it('is one line with its place, then the line of the file with the token underlined, then the mend', () => {
    expect(format('  "value": "3", "x": 1', '"3"')).toEqual([
      'a/审批.rule.json:2:12 error VALUE_TYPE: "3" is a text',
      '     2 │   "value": "3", "x": 1',
      '       │            ^^^',
      '    Write 3.',
    ]);
    expect(formatFinding(FINDING)).toBe('a/审批.rule.json:2:1 error VALUE_TYPE: "3" is a text\n    Write 3.');
  });

  it('keeps tabs, so that the caret stands under its token however wide they are', () => {
    const [, source, carets] = format('\t\t"value":\t"3"', '"3"');
    expect(source).toBe('     2 │ \t\t"value":\t"3"');
    expect(carets).toBe('       │ \t\t        \t^^^');
  });

  it('counts two columns for a wide character, none for one that joins another', () => {
    expect(format('"审批状态": "通过", x', '"通过"')[2]).toBe(`       │ ${' '.repeat(12)}^^^^^^`);
    expect(format('"e\u0301": 5', '5')[2]).toBe(`       │ ${' '.repeat(5)}^`);
    expect(format('"👍": 5', '5')[2]).toBe(`       │ ${' '.repeat(6)}^`);
  });

  it('shows as much of a long line as a terminal has room for', () => {
    const lines = format(`${'a'.repeat(100_000)}"3"${'b'.repeat(100_000)}`, '"3"');
    expect(underlined(lines)).toBe('"3"');
    for (const line of lines) expect(line.length).toBeLessThan(200);
    expect(lines[1]).toMatch(/│ …a+"3"b+…$/);
    for (const line of format(`"x": "${'c'.repeat(100_000)}"`, `"${'c'.repeat(100_000)}"`))
      expect(line.length).toBeLessThan(200);
  });

  it('at the end of the file or past a line it is about still has a caret', () => {
    expect(format('{ "a": ', '', { column: 8 })[2]).toBe(`       │ ${' '.repeat(7)}^`);
    expect(formatFinding({ ...FINDING, line: 99 }, 'x').split('\n')).toHaveLength(2);
  });

  it('shows control characters as dots: they could write anything onto a terminal', () => {
    const lines = format('"\u001b[2J\u202e": "3"', '"3"', { message: 'x\u001b[31m\ny' });
    expect(lines.join('')).not.toMatch(/\p{Cc}|\u202e/u);
    expect(lines).toHaveLength(4);
    expect(underlined(lines)).toBe('"3"');
  });
});

describe('a SARIF log', () => {
  it('has each code once, and each finding with level, place and mend', () => {
    const meant = { witness: { event: { status: 2 } }, sentence: { zh: '规则', en: 'Rule' } };
    const log = toSarif(
      [FINDING, { ...FINDING, severity: 'info', code: 'OTHER', rule: 'r' }, { ...FINDING, ...meant }],
      '1.2.3',
    );
    expect(log).toMatchObject({
      version: '2.1.0',
      runs: [
        {
          tool: {
            driver: { name: 'aftersign', version: '1.2.3', rules: [{ id: 'OTHER' }, { id: 'VALUE_TYPE' }] },
          },
          results: [
            {
              ruleId: 'VALUE_TYPE',
              ruleIndex: 1,
              level: 'error',
              message: { text: '"3" is a text. Write 3.' },
              locations: [
                {
                  physicalLocation: {
                    artifactLocation: { uri: 'a/%E5%AE%A1%E6%89%B9.rule.json' },
                    region: { startLine: 2, startColumn: 1, endColumn: 4 },
                  },
                },
              ],
            },
            { ruleIndex: 0, level: 'note', locations: [{ logicalLocations: [{ name: 'r' }] }] },
            { ruleIndex: 1, properties: meant },
          ],
        },
      ],
    });
  });
});
