// The database that the benches of the admin API and the console look at: made once in a folder, and taken from there
// the next time.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { SystemClock } from '../dist/config/clock.js';
import { createAccessServices } from '../dist/console/access/access-services.js';
import { createDataSource, migrate } from '../dist/database/data-source.js';
import { startEmbeddedPostgres } from '../dist/database/embedded-postgres.js';
import { Partitions } from '../dist/database/partitions.js';
import { loadBuiltInCatalogue } from '../dist/events/catalogue.js';
import { EventStore } from '../dist/events/event-store.js';
import { LiveCatalogue } from '../dist/events/live-catalogue.js';
import { Wakeup } from '../dist/queue/wakeup.js';
import { compileRuleSet } from '../dist/rules/rule-compiler.js';
import { RuleSetStore } from '../dist/rules/rule-set-store.js';
import { checkTerms, makeData } from './api-data.mjs';
import { note } from './pushes.mjs';

const PASSWORD = 'a password of the bench';

/** `data`: where it is kept; else it is gone with `close`. `bare`: without VACUUM and ANALYZE. */
export async function openApiDatabase({ events, data, bare = false }) {
  const folder = data === undefined ? mkdtempSync(join(tmpdir(), 'aftersign-bench-')) : resolve(data);
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  let server;
  let dataSource;
  const close = async () => {
    if (dataSource?.isInitialized) await dataSource.destroy();
    await server?.stop();
    if (data === undefined) rmSync(folder, { recursive: true, force: true });
  };
  try {
    server = await startEmbeddedPostgres({ dataDir: folder, log: note });
    dataSource = createDataSource(server.url, 2);
    await dataSource.initialize();
    await migrate(dataSource);
    const marker = join(folder, 'made.json');
    if (!existsSync(marker)) {
      await fill(dataSource, events, bare);
      writeFileSync(marker, JSON.stringify({ events }));
    }
    return {
      folder,
      dataSource,
      login: await makeLogin(dataSource, folder),
      events: JSON.parse(readFileSync(marker, 'utf8')).events,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function fill(dataSource, events, bare) {
  const builtIn = loadBuiltInCatalogue();
  const clock = new SystemClock();
  const live = new LiveCatalogue(dataSource, builtIn);
  const store = new EventStore(dataSource, new Partitions(dataSource), new Wakeup(dataSource), clock);
  try {
    const ruleSet = await activateRules(new RuleSetStore(dataSource, builtIn, live, clock), builtIn);
    await makeData(dataSource, builtIn, { events, ruleSet, note });
    note(`the terms of ${await checkTerms(dataSource, store, builtIn)} events are those of the indexer`);
    if (!bare) {
      note('vacuum analyze');
      const run = dataSource.createQueryRunner();
      await run.query('set statement_timeout = 0');
      await run.query('vacuum analyze');
      await run.release();
    }
  } finally {
    await store.onApplicationShutdown();
  }
}

async function activateRules(ruleSets, catalogue) {
  const rules = Array.from({ length: 41 }, (_, n) => ({
    name: `rule-${n}`,
    trigger: 'corehr.process.approver.updated_v2',
    conditions: { all: [{ fact: 'status', operator: 'equal', value: (n % 4) + 1 }] },
    actions: [{ type: 'http', name: 'action-1', url: `https://target-${n}.corp.example/` }],
  }));
  const files = new Map(rules.map((rule) => [`${rule.name}.rule.json`, JSON.stringify(rule)]));
  const { ruleSet } = await compileRuleSet(files, catalogue);
  await ruleSets.offer(ruleSet, files, 'start');
  return ruleSet.hash;
}

/** An admin of this run, with a token. */
async function makeLogin(dataSource, dataDir) {
  const access = createAccessServices({ dataSource, clock: new SystemClock(), dataDir });
  const here = { name: 'bench@host', role: 'admin', means: 'command', userId: null, address: null };
  const name = `bench-${Date.now()}`;
  await access.users.create(here, { name, role: 'admin', password: PASSWORD });
  const { token } = await access.tokens.create(here, { name: 'bench', expiresInDays: 1 }, { user: name });
  return { name, password: PASSWORD, token };
}
