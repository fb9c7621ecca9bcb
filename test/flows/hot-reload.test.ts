// The built service as a process, with its checking thread and the real file system; PostgreSQL is real.
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { SystemClock } from '../../src/config/clock.js';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { Partitions } from '../../src/database/partitions.js';
import { EventStore } from '../../src/events/event-store.js';
import { LiveCatalogue } from '../../src/events/live-catalogue.js';
import { Wakeup } from '../../src/queue/wakeup.js';
import { judge } from '../../src/rules/decide.js';
import { EvaluationStore } from '../../src/rules/evaluation-store.js';
import { RuleSetStore } from '../../src/rules/rule-set-store.js';
import { subjectOf } from '../../src/rules/subject.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { APP_SETTINGS, pushOfApprover } from '../support/feishu.js';
import { temporaryFolder } from '../support/folder.js';
import { freePort, ServiceProcess } from '../support/process.js';

const SAVES = 1000;
const WITHIN_MS = 20_000;

/** One of the two rules matches, by turns: both, or none, would be two sets mixed. */
function rulesOf(version: number): string {
  const rule = (name: string, matches: boolean): object => ({
    name,
    description: `version ${version}`,
    trigger: 'corehr.process.approver.updated_v2',
    conditions: { all: [{ fact: 'status', operator: matches ? 'equal' : 'notEqual', value: 3 }] },
    actions: [{ type: 'http', name: 'tell', url: 'https://nowhere.example/' }],
  });
  return JSON.stringify([rule('even', version % 2 === 0), rule('odd', version % 2 === 1)], null, 2);
}

interface Live {
  readonly hash: string | null;
  readonly rules: number;
  readonly errors: number;
}

describe('rule files that change while the service runs', () => {
  const folder = temporaryFolder('hot-reload');
  const rules = join(folder, 'rules');
  const file = join(rules, 'pair.rule.json');
  let database: TestDatabase;
  let dataSource: DataSource;
  let service: ServiceProcess;
  const acknowledged: string[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open(4);
    mkdirSync(rules);
    writeFileSync(file, rulesOf(0));
    const port = await freePort();
    service = new ServiceProcess(
      {
        ...APP_SETTINGS,
        PORT: String(port),
        DATABASE_URL: database.url,
        DATA_DIR: join(folder, 'data'),
        RULES_DIR: rules,
        // Deliveries stay where they are: they are not what this is about.
        ROLE: 'ingest,rules,console',
        LOG_LEVEL: 'warn',
      },
      port,
    );
    await service.start();
  }, 60_000);
  afterAll(async () => {
    await service.kill();
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function live(): Promise<Live> {
    const answer = await fetch(`${service.url}/health/ready`);
    return ((await answer.json()) as { ruleSet: Live }).ruleSet;
  }

  async function until(what: string, holds: (now: Live) => boolean): Promise<Live> {
    const end = performance.now() + WITHIN_MS;
    for (;;) {
      const now = await live();
      if (holds(now)) return now;
      if (performance.now() > end)
        throw new Error(`${what} did not come: ${JSON.stringify(now)}\n${service.log}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  async function send(): Promise<string> {
    const { eventId, ...push } = pushOfApprover({ status: 3 });
    const answer = await fetch(`${service.url}/webhook/event`, { method: 'POST', ...push });
    await answer.text();
    expect(answer.status).toBe(200);
    acknowledged.push(eventId);
    return eventId;
  }

  it('goes live when it is complete: half a file changes nothing, also over a restart', async () => {
    const before = await live();
    expect(before).toMatchObject({ rules: 2, errors: 0 });
    const text = rulesOf(1);
    writeFileSync(file, text.slice(0, text.length / 2));
    expect((await until('the error', ({ errors }) => errors > 0)).hash).toBe(before.hash);
    await send();
    expect(await service.stop()).toBe(0);
    await service.start();
    expect(await live()).toMatchObject({ hash: before.hash, rules: 2, errors: 1 });
    const decided = await send();
    writeFileSync(file, text);
    const after = await until('the mended set', ({ hash }) => hash !== before.hash);
    expect(after).toMatchObject({ rules: 2, errors: 0 });
    expect(await setThatDecided(decided)).toBe(before.hash);
    expect(await setThatDecided(await send())).toBe(after.hash);
  }, 60_000);

  it('goes live however it is written', async () => {
    let version = 100;
    const next = (): string => rulesOf((version += 1));
    const changes: Record<string, () => void> = {
      'written over': () => {
        writeFileSync(file, next());
      },
      'renamed over': () => {
        writeFileSync(join(rules, '.pair.swp'), next());
        renameSync(join(rules, '.pair.swp'), file);
      },
      'kept as a backup and written anew': () => {
        renameSync(file, `${file}~`);
        writeFileSync(file, next());
        unlinkSync(`${file}~`);
      },
      'another file': () => {
        mkdirSync(join(rules, 'topic'));
        writeFileSync(
          join(rules, 'topic', 'more.rule.json'),
          rulesOf(0).replace('"even"', '"more"').replace('"odd"', '"and-more"'),
        );
      },
      'a folder deleted': () => {
        rmSync(join(rules, 'topic'), { recursive: true });
      },
      'pulled by git': () => {
        const git = (...words: string[]): void => {
          execFileSync('git', ['-c', 'user.name=ops', '-c', 'user.email=ops@example.com', ...words], {
            cwd: rules,
            stdio: 'ignore',
          });
        };
        git('init', '-b', 'main');
        git('add', '.');
        git('commit', '-m', 'as it was');
        git('checkout', '-b', 'next');
        writeFileSync(file, next());
        git('commit', '-am', 'next');
        git('checkout', 'main');
        git('merge', 'next');
      },
      'mounted as a ConfigMap, and swapped': () => {
        for (const name of ['..2026_11_24_1', '..2026_11_24_2']) {
          mkdirSync(join(rules, name));
          writeFileSync(join(rules, name, 'pair.rule.json'), next());
        }
        symlinkSync('..2026_11_24_1', join(rules, '..data'));
        unlinkSync(file);
        symlinkSync('..data/pair.rule.json', file);
        symlinkSync('..2026_11_24_2', join(rules, '..data_tmp'));
        renameSync(join(rules, '..data_tmp'), join(rules, '..data'));
      },
    };
    for (const [what, change] of Object.entries(changes)) {
      const before = await live();
      change();
      const now = await until(`the set ${what}`, ({ hash }) => hash !== before.hash);
      expect({ what, errors: now.errors }).toEqual({ what, errors: 0 });
      expect(await setThatDecided(await send())).toBe(now.hash);
    }
  }, 120_000);

  it(`is never mixed: ${SAVES} saves in a row while events come in`, async () => {
    let saving = true;
    const sending = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (saving) await send();
      }),
    );
    unlinkSync(file);
    for (let version = 1000; version < 1000 + SAVES; version += 1) {
      writeFileSync(file, rulesOf(version));
      // Now and then a pause as a person makes it, so that sets in between go live too.
      if (version % 250 === 0) {
        const { hash } = await live();
        await until('a set in between', (now) => now.hash !== hash || now.errors > 0);
      } else await new Promise(setImmediate);
    }
    saving = false;
    await sending;
    const last = await setOf(rulesOf(1000 + SAVES - 1));
    await until('the last save', ({ hash }) => hash === last);
    expect(await setThatDecided(await send())).toBe(last);
  }, 120_000);

  it('leaves evaluations that are recomputed exactly, each by the set that it names', async () => {
    const wakeup = new Wakeup(dataSource);
    const clock = new SystemClock();
    const builtIn = loadBuiltInCatalogue();
    const events = new EventStore(dataSource, new Partitions(dataSource), wakeup, clock);
    const ruleSets = new RuleSetStore(dataSource, builtIn, new LiveCatalogue(dataSource, builtIn), clock);
    const evaluations = new EvaluationStore(dataSource);
    const rows = await dataSource.query<{ id: string }[]>(
      'select id from event_keys where event_id = any($1) order by id',
      [acknowledged],
    );
    expect(rows).toHaveLength(acknowledged.length);
    const sets = new Map<string, Awaited<ReturnType<typeof ruleSets.find>>>();
    for (const { id } of rows) {
      const evaluation = (await evaluations.find(id, 'live'))!;
      const event = (await events.find(id))!;
      if (!sets.has(evaluation.ruleSet))
        sets.set(evaluation.ruleSet, await ruleSets.find(evaluation.ruleSet));
      const ruleSet = sets.get(evaluation.ruleSet)!;
      const recorded = evaluation.verdicts.filter((one) => 'verdict' in one);
      const pair = recorded.filter(({ rule }) => rule === 'even' || rule === 'odd');
      expect(pair.map(({ verdict }) => verdict)).toEqual(['matched']);
      for (const rule of ruleSet.rules) {
        const { verdict } = await judge(ruleSet, rule, subjectOf(event).facts, evaluation.inputs);
        expect(verdict).toBe(recorded.find((one) => one.rule === rule.name)?.verdict ?? 'not matched');
      }
    }
    expect(sets.size).toBeGreaterThanOrEqual(10);
    await events.onApplicationShutdown();
  }, 60_000);

  /** The set that decided an event, once it is decided. */
  async function setThatDecided(eventId: string): Promise<string> {
    const end = performance.now() + WITHIN_MS;
    for (;;) {
      const [row] = await dataSource.query<{ ruleSet: string }[]>(
        'select rule_set as "ruleSet" from evaluations where event_id = (select id from event_keys where event_id = $1)',
        [eventId],
      );
      if (row) return row.ruleSet;
      if (performance.now() > end) throw new Error(`the event was not decided\n${service.log}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  async function setOf(text: string): Promise<string> {
    const { ruleSetHash } = await import('../../src/rules/check/rule-set-hash.js');
    return ruleSetHash(new Map([['pair.rule.json', text]]), loadBuiltInCatalogue());
  }
});
