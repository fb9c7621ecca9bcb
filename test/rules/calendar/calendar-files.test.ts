// What is wrong with files of calendars has its folders in test/fixtures/bad-rules.
import { describe, expect, it } from '@jest/globals';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { loadShippedCalendars } from '../../../src/rules/calendar/shipped-calendars.js';
import { type CheckedFiles, checkFiles } from '../../../src/rules/check/check-files.js';
import { ruleSetHash } from '../../../src/rules/check/rule-set-hash.js';
import { compileRuleSet } from '../../../src/rules/rule-compiler.js';

const catalogue = loadBuiltInCatalogue();
const filesOf = (calendars: Readonly<Record<string, unknown>>): Map<string, string> =>
  new Map(Object.entries(calendars).map(([file, calendar]) => [file, JSON.stringify(calendar, null, 2)]));
const check = (calendars: Readonly<Record<string, unknown>>): CheckedFiles =>
  checkFiles(filesOf(calendars), catalogue);

const OFFICE = {
  name: 'office',
  description: 'The office in Berlin',
  workdays: [1, 2, 3, 4],
  hours: ['00:00-06:00', '08:30-12:00', '12:00-16:15', '22:00-24:00'],
  holidays: ['2026-12-25', '2026-01-01'],
  makeUpWorkdays: ['2026-01-03'],
  from: '2026-01-01',
  until: '2026-12-31',
};

describe('work calendars of a rules folder', () => {
  it('are documents with their defaults, wherever their files lie', () => {
    const { calendars, findings } = check({
      'calendars/office.calendar.json': OFFICE,
      'people/any.calendar.json': { name: 'any' },
    });
    expect(findings).toEqual([]);
    expect(calendars).toEqual({
      office: OFFICE,
      any: {
        name: 'any',
        workdays: [1, 2, 3, 4, 5],
        hours: ['09:00-18:00'],
        holidays: [],
        makeUpWorkdays: [],
      },
    });
  });

  it('are not handed on when there is an error in them', () => {
    const { calendars } = check({ 'a.calendar.json': OFFICE, 'b.calendar.json': { ...OFFICE, hours: [] } });
    expect(calendars).toEqual({ office: OFFICE });
  });

  it('stand beside those of the product in a rule set, and before one of the same name', async () => {
    const own = { ...OFFICE, name: 'cn' };
    const { ruleSet, findings } = await compileRuleSet(
      filesOf({ 'a.calendar.json': OFFICE, 'b.calendar.json': own }),
      catalogue,
    );
    expect(findings.map(({ file, severity, code }) => [file, severity, code])).toEqual([
      ['b.calendar.json', 'info', 'CALENDAR_OVERRIDES'],
    ]);
    const { calendars } = ruleSet!;
    expect([...calendars.keys()].sort()).toEqual(['cn', 'office', 'weekdays']);
    expect(calendars.get('cn')!.document).toEqual(own);
    expect(calendars.get('weekdays')!.document).toEqual(loadShippedCalendars()['weekdays']);
    expect(calendars.get('office')!.isWorkday('2026-01-03')).toBe(true);
  });

  it('are a part of the version, and so are those of the product', async () => {
    const files = filesOf({ 'a.calendar.json': OFFICE });
    const { cn, weekdays } = loadShippedCalendars();
    const later = { cn: { ...cn!, until: '2027-12-31' }, weekdays: weekdays! };
    const hash = ruleSetHash(files, catalogue);
    expect(ruleSetHash(files, catalogue, later)).not.toBe(hash);
    const changed = { 'a.calendar.json': { ...OFFICE, until: '2026-12-30' } };
    expect(ruleSetHash(filesOf(changed), catalogue)).not.toBe(hash);
    const { ruleSet } = await compileRuleSet(files, catalogue, later);
    expect(ruleSet!.hash).toBe(ruleSetHash(files, catalogue, later));
    expect(ruleSet!.calendars.get('cn')!.document.until).toBe('2027-12-31');
  });

  it('may have the names of what every object has', () => {
    const { calendars, findings } = check({ 'a.calendar.json': { name: 'constructor' } });
    expect(findings).toEqual([]);
    expect(Object.keys(calendars)).toEqual(['constructor']);
  });

  it('are not to blame for the rules that name a broken one, nor the rules', () => {
    const rule = {
      name: 'r',
      calendar: 'office',
      trigger: 'corehr.process.approver.updated_v2',
      conditions: { all: [{ fact: 'status', operator: 'equal', value: 1 }] },
      actions: [{ type: 'http', name: 'tell', url: 'https://a.example/' }],
    };
    const broken = { ...OFFICE, workdays: [] };
    const { findings } = check({ 'a.calendar.json': broken, 'r.rule.json': rule });
    expect(findings.map(({ file, code }) => [file, code])).toEqual([
      ['a.calendar.json', 'CALENDAR_VALUE_INVALID'],
    ]);
    const unknown = check({ 'r.rule.json': { ...rule, calendar: 'weekday' } }).findings;
    expect(unknown.map(({ code, mend }) => [code, mend])).toEqual([
      ['CALENDAR_UNKNOWN', 'Did you mean "weekdays"?'],
    ]);
  });
});
