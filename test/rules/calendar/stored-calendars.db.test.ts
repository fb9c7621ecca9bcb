// The store of rule sets on real PostgreSQL, as it is after the product was updated.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { LiveCatalogue } from '../../../src/events/live-catalogue.js';
import { loadShippedCalendars } from '../../../src/rules/calendar/shipped-calendars.js';
import { compileRuleSet } from '../../../src/rules/rule-compiler.js';
import { RuleSetStore } from '../../../src/rules/rule-set-store.js';
import { TestClock } from '../../support/clock.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

describe('a stored rule set', () => {
  const catalogue = loadBuiltInCatalogue();
  const files = new Map<string, string>([['own.calendar.json', '{ "name": "own" }']]);
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open(2);
  });
  afterAll(() => database.drop());

  /** One that has compiled nothing yet. */
  const store = (): RuleSetStore =>
    new RuleSetStore(dataSource, catalogue, new LiveCatalogue(dataSource, catalogue), new TestClock());

  it('counts by the work calendars of the product of its day', async () => {
    const { ruleSet } = await compileRuleSet(files, catalogue);
    const { hash } = ruleSet!;
    await store().offer(ruleSet!, files, 'start');
    expect((await store().find(hash)).calendars.get('cn')!.document).toEqual(loadShippedCalendars()['cn']);

    const older = { cn: { ...loadShippedCalendars()['cn']!, holidays: ['2026-11-02'] } };
    await dataSource.query('update rule_sets set calendars = $1::json', [JSON.stringify(older)]);
    const found = await store().find(hash);
    expect(found.hash).toBe(hash);
    expect([...found.calendars.keys()].sort()).toEqual(['cn', 'own']);
    expect(found.calendars.get('cn')!.isWorkday('2026-11-02')).toBe(false);
  });

  it('of a version that kept none counts by those of today', async () => {
    await dataSource.query('update rule_sets set calendars = null');
    const [row] = await dataSource.query<{ hash: string }[]>('select hash from rule_sets');
    const { calendars } = await store().find(row!.hash);
    expect([...calendars.keys()].sort()).toEqual(['cn', 'own', 'weekdays']);
  });
});
