// The built commands as processes, on real PostgreSQL.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SystemClock } from '../../src/config/clock.js';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { LiveCatalogue } from '../../src/events/live-catalogue.js';
import { readRuleFolder } from '../../src/rules/rule-files.js';
import { compileRuleSet } from '../../src/rules/rule-compiler.js';
import { RuleSetStore } from '../../src/rules/rule-set-store.js';
import type { Ended } from '../support/command.js';
import { Commands } from '../support/commands.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

describe('aftersign rules activate', () => {
  const commands = new Commands();
  let database: TestDatabase;
  let hash: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    const catalogue = loadBuiltInCatalogue();
    const { files } = await readRuleFolder('rules');
    const { ruleSet } = await compileRuleSet(files, catalogue);
    hash = ruleSet!.hash;
    const dataSource = await database.open(2);
    const live = new LiveCatalogue(dataSource, catalogue);
    await new RuleSetStore(dataSource, catalogue, live, new SystemClock()).offer(ruleSet!, files, 'start');
  });
  afterAll(async () => {
    commands.close();
    await database.drop();
  });

  const run = (...parameters: string[]): Promise<Ended> =>
    commands.run(['rules', 'activate', ...parameters], { DATABASE_URL: database.url });

  it('makes a stored set live, and prints one JSON document when asked', async () => {
    const { code, stdout } = await run(hash.slice(0, 8), '--json');
    expect({ code, printed: JSON.parse(stdout) as unknown }).toEqual({
      code: 0,
      printed: { hash, number: 2, cancelledTimers: {} },
    });
    expect((await run(hash)).stdout).toBe(`Rule set ${hash.slice(0, 12)} is live (activation 3).\n`);
  });

  it('ends with 1 when it is refused, and with 2 on wrong use', async () => {
    expect(await run('ffffffff')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('RULE_SET_UNKNOWN'),
    });
    expect(await run()).toMatchObject({ code: 2, stdout: '' });
    expect(await run('--nonsense')).toMatchObject({ code: 2, stdout: '' });
    expect(await run('--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('Example') });
  });
});
