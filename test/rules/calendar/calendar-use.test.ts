import { describe, expect, it } from '@jest/globals';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { calendarEnds, calendarsInUse } from '../../../src/rules/calendar/calendar-use.js';
import { loadShippedCalendars } from '../../../src/rules/calendar/shipped-calendars.js';
import { WorkCalendar } from '../../../src/rules/calendar/work-calendar.js';
import { compileRuleSet } from '../../../src/rules/rule-compiler.js';

const NAMES = ['ladder', 'ladder-rule', 'office', 'quiet', 'turn'];
const ACTIONS = [{ type: 'http', name: 'tell', url: 'https://a.example/' }];

/** What a rule with these keys counts by. */
async function usedBy(rule: object, defaultCalendar: string | null = null): Promise<string[]> {
  const whole = {
    name: 'r',
    trigger: 'corehr.process.approver.updated_v2',
    conditions: { all: [{ fact: 'status', operator: 'equal', value: 1 }] },
    actions: ACTIONS,
    ...rule,
  };
  const files = new Map([
    ['r.rule.json', JSON.stringify(whole)],
    ...NAMES.map((name): [string, string] => [`${name}.calendar.json`, JSON.stringify({ name })]),
  ]);
  const { ruleSet, findings } = await compileRuleSet(files, loadBuiltInCatalogue());
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  return calendarsInUse(ruleSet!, defaultCalendar).map(({ document }) => document.name);
}

describe('the work calendars in use', () => {
  const escalate = { per: 'task', steps: [{ after: '8 work hours', actions: ACTIONS }] };

  it('are those that a rule names, wherever it does', async () => {
    expect(await usedBy({})).toEqual([]);
    expect(await usedBy({ calendar: 'office' })).toEqual(['office']);
    expect(
      await usedBy({
        calendar: 'ladder-rule',
        escalate: { ...escalate, calendar: 'ladder' },
        quietHours: { calendar: 'quiet', outside: '09:00-19:00', then: 'defer' },
      }),
    ).toEqual(['ladder', 'ladder-rule', 'quiet']);
    const trigger = { schedule: '0 9 * * *', calendar: 'turn', over: 'task' };
    expect(await usedBy({ trigger })).toEqual(['turn']);
  });

  it('are not those of disabled rules', async () => {
    expect(await usedBy({ calendar: 'office', enabled: false })).toEqual([]);
  });

  it('are that of rules that name none, too', async () => {
    expect(await usedBy({ escalate }, 'cn')).toEqual(['cn']);
    expect(await usedBy({ calendar: 'office' }, 'cn')).toEqual(['cn', 'office']);
    expect(await usedBy({}, 'there-is-none')).toEqual([]);
  });
});

describe('the end of a work calendar', () => {
  const cn = new WorkCalendar(loadShippedCalendars()['cn']!);
  const near = (at: string): [number, boolean] | undefined => {
    const [end] = calendarEnds([cn], Date.parse(at), 'Asia/Shanghai');
    return end && [end.daysLeft, end.near];
  };

  it('is near 60 days before its last day, by the days of the zone', () => {
    expect(near('2026-11-01T23:59:59+08:00')).toEqual([60, true]);
    expect(near('2026-10-31T23:59:59+08:00')).toEqual([61, false]);
    expect(near('2026-12-31T23:59:59+08:00')).toEqual([0, true]);
    expect(near('2027-01-01T00:00:00+08:00')).toEqual([-1, true]);
  });

  it('never comes to one without a last day', () => {
    const weekdays = new WorkCalendar(loadShippedCalendars()['weekdays']!);
    expect(calendarEnds([weekdays], 0, 'UTC')).toEqual([]);
  });
});
