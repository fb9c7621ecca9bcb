import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { loadShippedCalendars, versionOf } from '../../../src/rules/calendar/shipped-calendars.js';
import { WorkCalendar } from '../../../src/rules/calendar/work-calendar.js';
import { checkFiles } from '../../../src/rules/check/check-files.js';

const FOLDER = join('src', 'rules', 'calendar', 'shipped');
const textOf = (file: string): string => readFileSync(join(FOLDER, file), 'utf8');

describe('the work calendars that ship with the product', () => {
  it('are cn and weekdays, each in the file of its name', () => {
    expect(Object.keys(loadShippedCalendars())).toEqual(['cn', 'weekdays']);
    expect(readdirSync(FOLDER).sort()).toEqual(['cn.calendar.json', 'weekdays.calendar.json']);
    for (const name of ['cn', 'weekdays'])
      expect(JSON.parse(textOf(`${name}.calendar.json`))).toEqual(loadShippedCalendars()[name]);
  });

  it('are sound by the check for the rules folder', () => {
    const files = new Map(readdirSync(FOLDER).map((file) => [file, textOf(file)]));
    const { findings, calendars } = checkFiles(files, loadBuiltInCatalogue());
    expect(findings.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
      'info CALENDAR_OVERRIDES',
      'info CALENDAR_OVERRIDES',
    ]);
    expect(calendars).toEqual(loadShippedCalendars());
  });

  it('hold of China what scripts/make-cn-calendar.mjs makes of the published days', () => {
    const made = execFileSync(process.execPath, [join('scripts', 'make-cn-calendar.mjs')], {
      encoding: 'utf8',
    });
    expect(made).toBe(textOf('cn.calendar.json'));
  });

  it('know the days of China from 2004 to 2026, and work Monday to Friday besides', () => {
    const cn = loadShippedCalendars()['cn'];
    expect(cn).toMatchObject({ from: '2004-01-01', until: '2026-12-31', workdays: [1, 2, 3, 4, 5] });
    const calendar = new WorkCalendar(cn!);
    // The year in which the holiday was made longer, and the first whose days are known.
    expect(calendar.isWorkday('2020-01-31')).toBe(false);
    expect(calendar.isWorkday('2020-02-03')).toBe(true);
    expect(calendar.isWorkday('2004-05-08')).toBe(true);
    const weekdays = new WorkCalendar(loadShippedCalendars()['weekdays']!);
    expect(weekdays.isWorkday('2026-10-01')).toBe(true);
    expect(weekdays.isWorkday('2026-10-10')).toBe(false);
  });

  it('have a version that is their content, in any order', () => {
    const { cn, weekdays } = loadShippedCalendars();
    expect(versionOf({ weekdays: weekdays!, cn: cn! })).toBe(versionOf(loadShippedCalendars()));
    expect(versionOf({ cn: cn! })).not.toBe(versionOf(loadShippedCalendars()));
    expect(versionOf({ cn: { ...cn!, until: '2027-12-31' }, weekdays: weekdays! })).not.toBe(
      versionOf(loadShippedCalendars()),
    );
  });
});
