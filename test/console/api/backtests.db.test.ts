// The real service with its database and a real receiver; the built command beside it.
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BacktestRows } from '../../../src/console/api/backtest-rows.js';
import type { BacktestDetail } from '../../../src/console/api/backtests.schema.js';
import { MASK } from '../../../src/console/api/personal.js';
import type { BacktestReport } from '../../../src/rules/backtest/backtest-report.js';
import { editedAnnouncement, endedBacktest } from '../../support/backtests.js';
import { Commands } from '../../support/commands.js';
import { until } from '../../support/door.js';
import { folderWith, temporaryFolder } from '../../support/folder.js';
import {
  CANARIES,
  openSeeded,
  PLANTED,
  type SeededConsole,
  visitPush,
} from '../../support/seeded-console.js';

const PUSHED = 8;
const commands = new Commands();
let seeded: SeededConsole;
let live: string;
beforeAll(async () => {
  seeded = await openSeeded();
  for (let at = 0; at < PUSHED; at += 1)
    await seeded.console.push(
      visitPush({ visit_id: `v${at}`, status: (at % 3) + 1 }, { event_id: `more-${at}` }),
    );
  await until(async () => {
    const [row] = await seeded.console.dataSource.query<[{ decided: number }]>(
      `select count(*)::int as decided from evaluations where occasion = 'live'`,
    );
    return row.decided === PUSHED + 1;
  });
  const sets = await seeded.console.get<{ items: { hash: string }[] }>('admin', '/rule-sets');
  live = sets.items[0]?.hash ?? '';
}, 60_000);
afterAll(async () => {
  commands.close();
  await seeded.close();
});

const ask = async (json: object, role: 'operator' | 'viewer' = 'operator') =>
  await seeded.console.ask(role, '/backtests', { json });

const ended = async (json: object): Promise<BacktestDetail> => await endedBacktest(seeded, json);
const edited = () => editedAnnouncement(seeded);

describe('a back-test by the API', () => {
  it('tells what an edited file would have sent otherwise, to operators with all, to viewers masked', async () => {
    const detail = await ended({ after: edited() });
    expect(detail).toMatchObject({
      state: 'done',
      before: live,
      after: { ruleSet: live, path: 'announce.rule.json' },
      code: null,
      done: PUSHED + 1,
      masked: false,
      examplesLeft: 0,
    });
    const { report } = detail;
    const threes = 1 + Math.floor(PUSHED / 3);
    expect(report?.events).toEqual({ judged: PUSHED + 1, warmUp: 0, left: 0, undated: 0 });
    expect(report?.totals).toMatchObject({ added: 0, removed: 0, changed: threes, undecidable: 0 });
    expect(report?.unrecorded).toEqual([]);
    const [example] = report?.rules.find(({ rule }) => rule === 'announce')?.examples ?? [];
    expect(example?.fields).toContainEqual({ path: 'body.status', after: 3 });
    expect(JSON.stringify(detail)).toContain(CANARIES.phone);
    expect(JSON.stringify(detail)).not.toContain(PLANTED.RECEIVER_TOKEN);

    const { body, text } = await seeded.console.ask('viewer', `/backtests/${detail.id}`);
    const masked = body as BacktestDetail;
    expect(masked.masked).toBe(true);
    expect(masked.report?.totals).toEqual(report?.totals);
    for (const canary of Object.values(CANARIES)) expect(text).not.toContain(canary);
    const [seen] = masked.report?.rules.find(({ rule }) => rule === 'announce')?.examples ?? [];
    expect(seen?.fields).toContainEqual({ path: 'body.status', after: MASK });

    const page = await seeded.console.ask('viewer', '/backtests');
    expect(page.body).toMatchObject({ items: [{ id: detail.id, summary: { totals: report?.totals } }] });
    for (const canary of Object.values(CANARIES)) expect(page.text).not.toContain(canary);
  });

  it('compares two stored rule sets, of which one may be shortened', async () => {
    const detail = await ended({ after: { ruleSet: live.slice(0, 8) }, before: 'live' });
    const { same, ...others } = detail.report?.totals ?? { same: 0 };
    expect(same).toBeGreaterThan(0);
    expect(new Set(Object.values(others))).toEqual(new Set([0]));
    const early = await ended({ after: { ruleSet: live }, until: '2020-01-01T00:00:00Z' });
    expect(early.report?.events).toMatchObject({ judged: 0 });
  });

  it('says why there is no report', async () => {
    const { path, text } = edited();
    const refused = await ended({ after: { path, text: text.replace('"equal"', '"eqal"') } });
    expect(refused).toMatchObject({ state: 'failed', code: 'BACKTEST_RULES_REFUSED', report: null });
    expect(refused.reason).toContain(path);
    expect((await ask({ after: { ruleSet: 'aaaaaa' } })).body).toMatchObject({ code: 'RULE_SET_UNKNOWN' });
    expect((await ask({ after: { path: '../x.json', text: '' } })).status).toBe(400);
    expect(
      (await ask({ after: edited(), since: '2026-11-02T00:00:00Z', until: '2026-11-01T00:00:00Z' })).body,
    ).toMatchObject({ code: 'REQUEST_INVALID', errors: [{ path: 'since' }] });
    expect((await ask({ after: edited() }, 'viewer')).status).toBe(403);
    expect((await seeded.console.ask('viewer', `/backtests/${randomUUID()}`)).body).toMatchObject({
      code: 'BACKTEST_UNKNOWN',
    });
  });

  it('is ended by an operator, and tells so of a process that has died', async () => {
    const { dataSource } = seeded.console;
    const rows = new BacktestRows(dataSource, randomUUID());
    const asked = { before: live, after: live, edit: null, type: [], warmUp: null } as const;
    const window = { since: '2026-11-01T00:00:00.000Z', until: '2026-11-02T00:00:00.000Z' };
    const add = async () =>
      await dataSource.transaction((tx) => rows.add(tx, 'somebody', { ...asked, ...window }, Date.now()));
    const [mine, dead] = [await add(), await add()];
    expect(await rows.begin(Date.now())).toMatchObject({ id: mine });
    const path = `/backtests/${mine}/cancel`;
    expect((await seeded.console.ask('viewer', path, { method: 'POST' })).status).toBe(403);
    expect((await seeded.console.ask('operator', path, { method: 'POST' })).body).toMatchObject({
      state: 'cancelled',
      code: 'CANCELLED_BY_PERSON',
    });
    // Whoever runs it learns so with its next word, and its report counts no more.
    expect(await rows.progress(mine, 5, 10)).toBe(false);
    expect((await seeded.console.ask('operator', path, { method: 'POST' })).body).toMatchObject({
      code: 'BACKTEST_ENDED',
    });

    expect(await seeded.console.get('viewer', `/backtests/${dead}`)).toMatchObject({ state: 'queued' });
    await dataSource.query("update backtests set lease_until = now() - interval '1 s' where id = $1", [dead]);
    expect(await seeded.console.get('viewer', `/backtests/${dead}`)).toMatchObject({
      state: 'failed',
      code: 'BACKTEST_INTERRUPTED',
    });
  });

  it('loses its report when the data of a person in it is erased', async () => {
    const detail = await ended({ after: edited() });
    const [row] = await seeded.console.dataSource.query<[{ day: string }]>(
      `select to_char(received_at at time zone 'UTC', 'YYYY-MM-DD') as day from events limit 1`,
    );
    // Of another day, so that the events of the other tests stay.
    const day = new Date(Date.parse(row.day) - 86_400_000).toISOString().slice(0, 10);
    const erase = (dryRun: boolean) =>
      seeded.console.ask('admin', '/erasures', { json: { values: [CANARIES.phone], day, dryRun } });
    expect((await erase(true)).status).toBe(200);
    expect(
      (await seeded.console.get<BacktestDetail>('operator', `/backtests/${detail.id}`)).report,
    ).not.toBeNull();
    expect((await erase(false)).status).toBe(200);
    const after = await seeded.console.get<BacktestDetail>('operator', `/backtests/${detail.id}`);
    expect(after).toMatchObject({ state: 'done', report: null, code: 'ERASED' });
    expect(after.summary?.totals).toEqual(detail.report?.totals);
  });
});

describe('aftersign backtest', () => {
  it('gives one hash over the database and over its recorded export, and an import takes that too', async () => {
    const { path, text } = edited();
    const files = ['catalogue/visit.event.json', 'lookups.json'];
    const others = ['announce', 'invite', 'nearly', 'ask-first', 'compare'].map((one) => `${one}.rule.json`);
    const folder = folderWith({
      ...Object.fromEntries(
        [...files, ...others].map((name) => [name, readFileSync(join(seeded.rules, name), 'utf8')]),
      ),
      [path]: text,
    });
    const settings = { DATABASE_URL: seeded.console.database.url, DATA_DIR: temporaryFolder('data') };
    const since = new Date(Date.now() - 86_400_000).toISOString();
    const end = new Date(Date.now() + 60_000).toISOString();
    const fixed = ['--since', since, '--until', end, '--warm-up', '1d', '--json'];
    const here = await commands.run(['backtest', '--rules', folder, ...fixed], settings);
    expect({ code: here.code, stderr: here.code === 0 ? '' : here.stderr }).toEqual({ code: 0, stderr: '' });
    const { report } = JSON.parse(here.stdout) as { report: BacktestReport };
    expect(report.totals.changed).toBeGreaterThan(0);
    expect(report.events).toMatchObject({ judged: PUSHED + 1, undated: 0 });

    const { status, text: lines } = await seeded.console.ask('operator', '/events/export?recorded=true');
    expect(status).toBe(200);
    const file = join(temporaryFolder('events'), 'recorded.ndjson');
    writeFileSync(file, lines);
    const parameters = ['backtest', '--rules', folder, '--against', seeded.rules, '--events', file, ...fixed];
    const there = await commands.run(parameters, {});
    expect({ code: there.code, stderr: there.code === 0 ? '' : there.stderr }).toEqual({
      code: 0,
      stderr: '',
    });
    const other = JSON.parse(there.stdout) as { report: BacktestReport };
    expect(other.report).toEqual(report);

    // In another order and with blanks, as other programs write JSON.
    const spread = lines
      .trim()
      .split('\n')
      .map((one) => {
        const { aftersign, event, decidedAt, lookups, ...rest } = JSON.parse(one) as Record<string, unknown>;
        expect(aftersign).toBe('recorded/1');
        expect(rest).toHaveProperty('receivedAt');
        return JSON.stringify({ event, decidedAt, lookups, aftersign, receivedAt: rest['receivedAt'] });
      });
    writeFileSync(file, `${spread.join('\n')}\n`);
    const again = JSON.parse((await commands.run(parameters, {})).stdout) as { report: BacktestReport };
    expect(again.report.totals).toEqual(report.totals);
    expect(again.report.events).toEqual(report.events);

    const taken = await seeded.console.ask('admin', '/events/import', {
      method: 'POST',
      body: lines,
      headers: { 'content-type': 'application/x-ndjson' },
    });
    const outcomes = (taken.body as { lines: { outcome: string }[] }).lines.map(({ outcome }) => outcome);
    expect(outcomes).toEqual(Array.from({ length: PUSHED + 1 }, () => 'duplicate'));
  });
});
