// Real: the built code (dist/) in a process of its own, with its threads. What it prints is what is tested.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { loadShippedCalendars } from '../../../src/rules/calendar/shipped-calendars.js';
import { ruleSetHash } from '../../../src/rules/check/rule-set-hash.js';
import type { TrialAnswer } from '../../../src/rules/trial/trial.js';
import { envelopeOf } from '../../support/feishu.js';
import { temporaryFolder } from '../../support/folder.js';
import { all, any, filesOf, type JsonObject, leaf, rule, TASK } from '../../support/rule-parts.js';

const built = (file: string): string => pathToFileURL(join('dist', file)).href;
// Counts the turns of its own event loop meanwhile: what blocked it would leave it at none.
const PROGRAM = `
import { readFileSync } from 'node:fs';
import { runOrder } from '${built('rules/trial/run-order.js')}';
const { order, events, withinMs, abortAfter, endless } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
let turns = 0;
let asked = 0;
const turn = () => { turns += 1; if (turns === abortAfter) gone.abort(new Error('gone')); };
const gone = new AbortController();
const ticking = setInterval(turn, 1);
const source = async function* () {
  do {
    asked += 1;
    yield { events: events.map(({ raw, at, ...event }) => ({
      event: { ...event, raw: Buffer.from(raw), receivedAt: new Date(at), createTime: new Date(at), content: null, transport: null, erasedAt: null },
      inputs: { now: at, timezone: 'Asia/Shanghai' }, others: null })), left: 0 };
  } while (endless);
};
const ended = [];
try {
  ended.push({ answer: await runOrder(order, source, { signal: gone.signal, withinMs }) });
} catch (error) {
  ended.push({ error: error.code ?? error.message });
}
clearInterval(ticking);
// A thread that went on would keep the process from ending.
console.log(JSON.stringify({ ...ended[0], turns, asked }));
`;

interface Outcome {
  readonly answer?: TrialAnswer;
  readonly error?: string;
  readonly turns: number;
  readonly asked: number;
}

const LIVE = filesOf([rule('one', TASK, all(leaf('status', 'equal', 2)))]);

async function tried(
  text: string,
  fields: Record<string, unknown> = {},
  { withinMs = 60_000, ...more }: { withinMs?: number; abortAfter?: number; endless?: boolean } = {},
): Promise<Outcome> {
  const catalogue = loadBuiltInCatalogue();
  const calendars = loadShippedCalendars();
  const hash = ruleSetHash(LIVE, catalogue, calendars);
  const stored = {
    hash,
    files: JSON.stringify(Object.fromEntries(LIVE)),
    catalogue: catalogue.entries,
    calendars,
  };
  const order = {
    kind: 'trial',
    stored,
    path: 'topic/0.rule.json',
    text,
    files: { one: 'topic/0.rule.json' },
  };
  const raw = envelopeOf(fields, { event_id: 'e1', event_type: TASK });
  const event = {
    id: 'id-1',
    origin: 'feishu:cli_a',
    eventId: 'e1',
    eventType: TASK,
    source: 'feishu-webhook',
  };
  const events = [{ ...event, rootEntity: null, raw, at: Date.UTC(2026, 10, 2) }];
  const folder = temporaryFolder('thread');
  const [program, input] = [join(folder, 'try.mjs'), join(folder, 'order.json')];
  writeFileSync(program, PROGRAM);
  writeFileSync(input, JSON.stringify({ order, events, withinMs, ...more }));
  const { stdout } = await promisify(execFile)(process.execPath, [program, input], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout) as Outcome;
}

const text = (...rules: JsonObject[]): string => JSON.stringify(rules);

describe('the thread of a trial', () => {
  it('says what the rules say, with the bytes of the events as they are', async () => {
    const { answer } = await tried(text(rule('one', TASK, all(leaf('status', 'equal', 3)))), { status: 3 });
    expect(answer).toMatchObject({
      ok: true,
      looked: 1,
      left: 0,
      events: [{ id: 'id-1', rules: [{ rule: 'one', now: 'matched', before: 'not matched' }] }],
    });
  });

  it('ends when its time is up, however long the work is, and leaves the event loop alone', async () => {
    const { error, turns } = await tried(
      text(rule('one', TASK, all(leaf('status', 'equal', 3)))),
      { status: 3 },
      {
        withinMs: 1500,
        endless: true,
      },
    );
    expect(error).toBe('TRIAL_TOO_LONG');
    expect(turns).toBeGreaterThan(10);
  });

  it('ends with the request', async () => {
    const { error, turns } = await tried(
      text(rule('one', TASK, all(leaf('status', 'equal', 3)))),
      { status: 3 },
      {
        abortAfter: 300,
        endless: true,
      },
    );
    expect(error).toBe('gone');
    expect(turns).toBeGreaterThanOrEqual(300);
  });

  const deep = (levels: number): string =>
    `{"name":"one","trigger":"${TASK}","conditions":${'{"all":['.repeat(levels)}{"fact":"status","operator":"equal","value":3}${']}'.repeat(levels)},"actions":[]}`;
  const many = Array.from({ length: 1000 }, (_, at) =>
    rule(`r${at}`, TASK, all(leaf('status', 'equal', at % 4)), {
      actions: [{ type: 'http', name: 'a', url: 'https://a.example/' }],
    }),
  );
  const hostile: [string, string][] = [
    ['conditions of 20 000 levels', deep(20_000)],
    ['a text of brackets', '['.repeat(250_000)],
    ['a thousand rules', text(...many)],
    [
      'a pattern that is endless work',
      text(
        rule(
          'one',
          TASK,
          any(...Array.from({ length: 50 }, () => leaf('note', 'matches', '^(([a-z])+.)+[A-Z]([a-z])+$'))),
        ),
      ),
    ],
    [
      'a long pattern',
      text(rule('one', TASK, all(leaf('note', 'matches', `(${'a?'.repeat(20_000)}){2,}$`)))),
    ],
    [
      'a name of a quarter of a million letters',
      text(rule('x'.repeat(240_000), TASK, all(leaf('status', 'equal', 3)))),
    ],
  ];
  it.each(hostile)('gets an answer or an end, and the event loop goes on: %s', async (_, file) => {
    const { error, answer, turns } = await tried(
      file,
      { status: 3, note: 'a'.repeat(100_000) },
      { withinMs: 10_000 },
    );
    if (error === undefined) expect(answer?.ruleSet === '').toBe(answer?.ok === false);
    else expect(['TRIAL_TOO_LONG', 'TRIAL_TOO_LARGE']).toContain(error);
    expect(turns).toBeGreaterThan(10);
  });
});
