// Pure: what happened is made up by the core itself on a virtual clock; with the real workers: case-from-event.db.test.ts.
import { describe, expect, it } from '@jest/globals';
import { type CatalogueEntry, loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import type { StoredEvent } from '../../../src/events/event-store.js';
import { caseFromEvent, type EventCase } from '../../../src/rules/cases/case-from-event.js';
import { CaseRunner } from '../../../src/rules/cases/case-runner.js';
import type { RecordedEvent } from '../../../src/rules/cases/recorded-event.js';
import { VirtualRoom } from '../../../src/rules/cases/virtual-room.js';
import type { LookupAnswer } from '../../../src/rules/lookup-document.js';
import { compileRuleSet } from '../../../src/rules/rule-compiler.js';
import type { RuleSet } from '../../../src/rules/rule-set.js';
import { subjectOf } from '../../../src/rules/subject.js';

const label = (en: string) => ({ zh: en, en });
/** A type of a team's own, with people in it. */
const LEAVE: CatalogueEntry = {
  eventType: 'leave.asked',
  label: label('leave asked'),
  entities: { request: 'request_id' },
  rootEntity: 'request',
  sample: { request_id: 'r-1', who: 'ou_11111111', mail: 'a.sample@example.com', days: 1, why: 'rest' },
  fields: {
    request_id: { type: 'string', label: label('request') },
    who: { type: 'string', label: label('who'), personal: true },
    mail: { type: 'string', label: label('mail'), personal: true },
    days: { type: 'integer', label: label('days') },
    why: { type: 'string', label: label('why'), personal: true },
  },
};
const BUILT_IN = loadBuiltInCatalogue().with([LEAVE]);
const APPROVER = 'corehr.process.approver.updated_v2';
const START = Date.UTC(2026, 0, 5, 1);
const HOUR = 3_600_000;

interface Told {
  readonly at: number;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly type?: string;
  readonly id?: string;
  readonly createTime?: number;
  readonly lookups?: Readonly<Record<string, unknown>>;
  readonly change?: Partial<StoredEvent>;
}

function storedOf({
  fields,
  type = 'leave.asked',
  id = 'evt-1',
  at,
  createTime = at,
  change = {},
}: Told): StoredEvent {
  const header = {
    event_id: id,
    event_type: type,
    create_time: String(createTime),
    token: '',
    app_id: 'cli_9f5343c580712544',
    tenant_key: '2ca1d211f64f6438',
  };
  return {
    id: `01a0-${id}`,
    receivedAt: new Date(at),
    origin: 'feishu:cli_9f5343c580712544',
    eventId: id,
    eventType: type,
    source: 'feishu-webhook',
    createTime: new Date(createTime),
    rootEntity: BUILT_IN.rootEntityOf(type, new Map(Object.entries(fields))),
    raw: Buffer.from(JSON.stringify({ schema: '2.0', header, event: fields })),
    content: null,
    transport: null,
    erasedAt: null,
    ...change,
  };
}

/** Lets the core decide events, and records what the ledger and the deliveries would hold of it. */
async function recorded(ruleSet: RuleSet, told: readonly Told[], until: number): Promise<RecordedEvent[]> {
  let known: Readonly<Record<string, unknown>> = {};
  const lookup = (name: string, request: string, now: number): LookupAnswer | null =>
    Object.hasOwn(known, name) ? { request, value: known[name], fetchedAt: now } : null;
  const room = new VirtualRoom(ruleSet, {
    timezone: 'Asia/Shanghai',
    answers: { lookup, pending: () => true },
  });
  const events: StoredEvent[] = [];
  let now = told[0]?.at ?? START;
  for (const one of told) {
    await room.advance(now, one.at);
    now = one.at;
    known = one.lookups ?? known;
    const event = storedOf(one);
    events.push(event);
    const subject = subjectOf(event);
    const orderTime = event.createTime?.getTime() ?? now;
    const order = {
      orderTime,
      statusRank: ruleSet.catalogue.statusRankOf(event.eventType, subject.facts),
      eventId: event.eventId,
    };
    await room.receive(now, [{ id: event.id, entity: event.rootEntity, subject, order }]);
  }
  await room.advance(now, until);
  return events.map((event) => ({
    event,
    evaluations: room.ledger
      .filter(({ eventId }) => eventId === event.id)
      .map((one) => ({ ...one, decidedAt: new Date(one.at) })),
    deliveries: room.deliveries
      .filter(({ delivery: { cause } }) => cause.split('#')[0] === `${event.origin}/${event.eventId}`)
      .map(({ delivery, step, decidedAt }) => ({
        ...delivery,
        occasion: step === null ? 'live' : `step:${delivery.rule}:${step}`,
        createdAt: new Date(decidedAt),
      })),
  }));
}

const rule = (change: object): object => ({
  name: 'long-leave',
  trigger: 'leave.asked',
  conditions: { all: [{ fact: 'days', operator: 'greaterThan', value: 3 }] },
  actions: [
    {
      type: 'email',
      name: 'mail',
      to: 'hr@example.com',
      subject: '{{ event.who }} asks for {{ event.days }} days',
      text: 'Answer {{ event.mail }}: {{ event.why | upcase }}',
    },
  ],
  ...change,
});

async function setOf(
  rules: readonly object[],
  files: Readonly<Record<string, object>> = {},
): Promise<RuleSet> {
  const texts = new Map([
    ['a.rule.json', JSON.stringify(rules)],
    ...Object.entries(files).map(([name, content]) => [name, JSON.stringify(content)] as const),
  ]);
  const { ruleSet, findings } = await compileRuleSet(texts, BUILT_IN);
  if (!ruleSet) throw new Error(JSON.stringify(findings));
  return ruleSet;
}

async function madeOf(
  ruleSet: RuleSet,
  events: readonly RecordedEvent[],
  about: string,
  { rule: name, gone = 0 }: { readonly rule?: string; readonly gone?: number } = {},
): Promise<EventCase> {
  const runner = new CaseRunner(ruleSet, { timezone: 'Asia/Shanghai', calendar: null });
  const history = { about: `01a0-${about}`, events, gone };
  return await caseFromEvent(history, ruleSet, {
    rule: name,
    today: BUILT_IN,
    run: runner.run.bind(runner),
  });
}

const ANN = {
  request_id: 'r-77',
  who: 'ou_84aad35d084a',
  mail: 'ann.lee@corp.example',
  days: 5,
  why: 'my wedding',
};

describe('a case of what happened', () => {
  it('tells the fields that differ from the sample, and what was said and sent', async () => {
    const ruleSet = await setOf([rule({})]);
    const events = await recorded(ruleSet, [{ at: START, fields: ANN }], START);
    expect(await madeOf(ruleSet, events, 'evt-1')).toEqual({
      document: {
        rules: ['long-leave'],
        now: '2026-01-05T09:00:00+08:00',
        timezone: 'Asia/Shanghai',
        cases: [
          {
            name: 'event evt-1 真实事件',
            steps: [
              {
                event: {
                  request_id: 'r-77',
                  who: 'ou_000000000001',
                  mail: 'person-1@example.com',
                  days: 5,
                  why: 'Person 1',
                },
              },
            ],
            expect: [
              {
                rule: 'long-leave',
                action: 'mail',
                with: {
                  to: ['hr@example.com'],
                  subject: 'ou_000000000001 asks for 5 days',
                  text: 'Answer person-1@example.com: PERSON 1',
                },
              },
            ],
            verdicts: { 'long-leave': 'matched' },
          },
        ],
      },
      failures: [],
      notes: [],
    });
  });

  it('holds no personal value, whatever a template makes of it', async () => {
    const ruleSet = await setOf([rule({})]);
    const events = await recorded(ruleSet, [{ at: START, fields: ANN }], START);
    const text = JSON.stringify(await madeOf(ruleSet, events, 'evt-1')).toLowerCase();
    for (const value of ['84aad35d', 'ann', 'corp.example', 'wedding']) expect(text).not.toContain(value);
  });

  it('keeps what a rule names', async () => {
    const named = rule({
      name: 'boss',
      conditions: {
        any: [
          { fact: 'who', operator: 'equal', value: 'ou_84aad35d084a' },
          { fact: 'why', operator: 'containsText', value: 'wedding' },
        ],
      },
    });
    const ruleSet = await setOf([named]);
    const events = await recorded(ruleSet, [{ at: START, fields: ANN }], START);
    const { document, failures } = await madeOf(ruleSet, events, 'evt-1');
    expect(failures).toEqual([]);
    expect(document.cases[0]?.steps).toEqual([
      {
        event: expect.objectContaining({
          who: 'ou_84aad35d084a',
          why: expect.stringMatching(/^wedding/) as unknown,
          mail: 'person-1@example.com',
        }) as unknown,
      },
    ]);
  });

  it('says it when a stand-in is decided otherwise, and shows what was recorded', async () => {
    const pattern = rule({
      conditions: { all: [{ fact: 'why', operator: 'matches', value: '^my w[a-z]+ng$' }] },
    });
    const ruleSet = await setOf([pattern]);
    const events = await recorded(ruleSet, [{ at: START, fields: ANN }], START);
    const { document, failures } = await madeOf(ruleSet, events, 'evt-1');
    expect(failures.map(({ kind }) => kind).sort()).toEqual(['missing', 'verdict']);
    expect(document.cases[0]?.verdicts).toEqual({ 'long-leave': 'matched' });
    expect(JSON.stringify([document, failures])).not.toMatch(/ann\.lee|84aad35d|my wedding/);
  });

  it('tells the earlier events, the time between them, and what comes of it later', async () => {
    const ruleSet = await setOf([
      {
        name: 'remind',
        trigger: APPROVER,
        conditions: { all: [{ fact: 'status', operator: 'equal', value: 1 }] },
        escalate: {
          per: 'task',
          steps: [
            {
              after: '8h',
              name: 'first',
              actions: [{ type: 'email', name: 'mail', to: 'hr@example.com', subject: 's', text: 't' }],
            },
          ],
        },
      },
      {
        name: 'reopened',
        trigger: APPROVER,
        conditions: { all: [{ fact: 'task.transition', operator: 'equal', value: '3>1' }] },
        quietHours: { outside: '09:00-19:00', timezone: 'Asia/Shanghai' },
        actions: [{ type: 'email', name: 'mail', to: 'hr@example.com', subject: 's', text: 't' }],
      },
    ]);
    const sample = BUILT_IN.find(APPROVER)?.sample ?? {};
    const events = await recorded(
      ruleSet,
      [
        { at: START, fields: { ...sample, status: 3 }, type: APPROVER, id: 'e1' },
        { at: START + 11 * HOUR, fields: { ...sample, status: 1 }, type: APPROVER, id: 'e2' },
        { at: START + 30 * HOUR, fields: { ...sample, status: 2 }, type: APPROVER, id: 'e3' },
      ],
      START + 48 * HOUR,
    );
    const { document, failures } = await madeOf(ruleSet, events, 'e2');
    expect(failures).toEqual([]);
    expect(document.cases[0]).toMatchObject({
      steps: [{ event: { status: 3 } }, { advance: '11h' }, { event: {} }, { advance: '13h' }],
      expect: [
        { rule: 'remind', action: 'mail', step: 'first', at: '19h' },
        { rule: 'reopened', action: 'mail', at: '1d' },
      ],
      verdicts: { remind: 'matched', reopened: 'matched' },
    });
    // Of the last one, all three.
    const last = await madeOf(ruleSet, events, 'e3');
    expect(last.document.cases[0]?.steps).toHaveLength(5);
    expect(last.document.cases[0]?.verdicts).toEqual({
      remind: { verdict: 'not matched', because: ['status'] },
      reopened: { verdict: 'not matched', because: ['task.transition'] },
    });
  });

  it('gives the answers of look-ups, with stand-ins', async () => {
    const ruleSet = await setOf(
      [
        rule({
          conditions: { all: [{ fact: 'lookup.employee.grade', operator: 'greaterThan', value: 5 }] },
          actions: [
            {
              type: 'email',
              name: 'mail',
              to: 'hr@example.com',
              subject: '{{ lookup.employee.name }}',
              text: '{{ lookup.leader.name }} of {{ lookup.leader.team }}',
            },
          ],
        }),
      ],
      {
        'lookups.json': {
          employee: {
            type: 'http',
            url: 'https://hr.example/{{ event.who }}',
            fields: {
              grade: { type: 'integer', label: label('grade') },
              band: { type: 'string', label: label('band') },
              name: { type: 'string', label: label('name'), personal: true },
            },
          },
          leader: { type: 'http', url: 'https://hr.example/leaders/{{ event.who }}' },
        },
      },
    );
    const lookups = {
      employee: { grade: 7, band: 'P7', name: '李雷' },
      leader: { name: 'Han Meimei', team: 'Payroll', since: 2019 },
    };
    const events = await recorded(ruleSet, [{ at: START, fields: ANN, lookups }], START);
    const { document, failures, notes } = await madeOf(ruleSet, events, 'evt-1');
    expect([failures, notes]).toEqual([[], []]);
    const [answers] = document.cases[0]?.steps ?? [];
    // Nothing is known of what a leader is: all its texts are replaced.
    expect(answers).toEqual({
      lookup: {
        employee: { grade: 7, band: 'P7', name: '员工1' },
        leader: { name: 'Person 1', team: 'person-1', since: 2019 },
      },
    });
    expect(document.cases[0]?.expect).toMatchObject([
      { with: { subject: '员工1', text: 'Person 1 of person-1' } },
    ]);
  });

  it('tells a failed look-up as one, and the verdict that came of it', async () => {
    const ruleSet = await setOf(
      [rule({ conditions: { all: [{ fact: 'lookup.employee.grade', operator: 'greaterThan', value: 5 }] } })],
      { 'lookups.json': { employee: { type: 'http', url: 'https://hr.example/{{ event.who }}' } } },
    );
    const events = await recorded(ruleSet, [{ at: START, fields: ANN }], START);
    const { document, failures } = await madeOf(ruleSet, events, 'evt-1');
    expect(failures).toEqual([]);
    expect(document.cases[0]).toMatchObject({
      steps: [{ lookup: { employee: null } }, { event: {} }],
      expect: [],
      verdicts: { 'long-leave': { verdict: 'unknown', missing: ['lookup.employee.grade'] } },
    });
  });
});

describe('how much of an event is told', () => {
  const stepsOf = async (change: object, told: Partial<Told>): Promise<readonly unknown[]> => {
    const ruleSet = await setOf([rule(change)]);
    const events = await recorded(ruleSet, [{ at: START, fields: ANN, ...told }], START);
    const { document, failures } = await madeOf(ruleSet, events, told.id ?? 'evt-1');
    expect(failures).toEqual([]);
    return document.cases[0]?.steps ?? [];
  };
  const subject = (template: string): object => ({
    actions: [{ type: 'email', name: 'mail', to: 'hr@example.com', subject: template, text: 't' }],
  });

  it('is no more than is needed: the header, when somebody reads it', async () => {
    expect(await stepsOf(subject('{{ event.event_id }}'), {})).toEqual([
      {
        event: {
          header: {
            event_id: 'evt-1',
            app_id: 'cli_9f5343c580712544',
            tenant_key: '2ca1d211f64f6438',
            create_time: String(START),
          },
          event: expect.objectContaining({ days: 5 }) as unknown,
        },
      },
    ]);
  });

  it('is when it happened, when that is not when it came', async () => {
    expect(await stepsOf({}, { createTime: START - 2 * HOUR })).toEqual([
      { event: expect.objectContaining({ days: 5 }) as unknown },
    ]);
    const late = { fact: 'now.time', operator: 'equal', value: '09:00' };
    const conditions = { all: [{ fact: 'days', operator: 'greaterThan', value: 3 }, late] };
    expect(await stepsOf({ conditions }, { createTime: START - 2 * HOUR })).toEqual([
      { event: { header: { create_time: '-2h' }, event: expect.objectContaining({ days: 5 }) as unknown } },
    ]);
  });

  it('is all of it, when the event is not as the catalogue has it', async () => {
    const without = { ...ANN, why: undefined };
    const quiet = subject('{{ event.days }}');
    for (const fields of [without, { ...ANN, newer: 'field' }])
      expect(await stepsOf(quiet, { fields })).toEqual([
        {
          event: {
            schema: '2.0',
            header: expect.not.objectContaining({ token: '' }) as unknown,
            event: expect.objectContaining({ who: 'ou_000000000001' }) as unknown,
          },
        },
      ]);
  });

  it('is the whole CloudEvent, when its attributes are read', async () => {
    const attributes = { specversion: '1.0', id: '7', source: '/hr', type: 'leave.asked' };
    const change: Partial<StoredEvent> = {
      origin: 'hr',
      source: 'webhook',
      raw: Buffer.from(JSON.stringify(ANN)),
      transport: { format: 'cloudevents', attributes, contentType: 'application/json' },
    };
    const byPath = { fact: 'cloudevent', path: '$.source', operator: 'equal', value: '/hr' };
    expect(await stepsOf({ conditions: { all: [byPath] } }, { change })).toEqual([
      {
        event: {
          ...attributes,
          datacontenttype: 'application/json',
          data: expect.objectContaining({ days: 5, who: 'ou_000000000001' }) as unknown,
        },
      },
    ]);
  });
});

describe('what a case cannot say', () => {
  const twice = [
    { at: START, fields: ANN, id: 'e1' },
    { at: START + HOUR, fields: { ...ANN, days: 9 }, id: 'e2' },
  ];

  it('is said beside it: a silence', async () => {
    const ruleSet = await setOf([rule({})]);
    const [one] = await recorded(ruleSet, [{ at: START, fields: ANN }], START);
    const silenced: RecordedEvent = {
      event: one!.event,
      deliveries: [],
      evaluations: one!.evaluations.map((evaluation) => ({
        ...evaluation,
        verdicts: [
          ...evaluation.verdicts,
          { rule: 'long-leave', action: 'mail', cause: 'silence' as const, by: 'x' },
        ],
      })),
    };
    const { document, failures, notes } = await madeOf(ruleSet, [silenced], 'evt-1');
    expect(failures).toEqual([]);
    expect(notes).toEqual([
      '"long-leave" was silenced: what "long-leave" sends is told as it sends it alone',
    ]);
    expect(document.cases[0]?.expect).toHaveLength(1);
  });

  it('is said beside it: earlier events of another rule set, and erased ones', async () => {
    const ruleSet = await setOf([rule({})]);
    const events = (await recorded(ruleSet, twice, START + HOUR)).map((one, at) =>
      at > 0
        ? one
        : { ...one, evaluations: one.evaluations.map((other) => ({ ...other, ruleSet: 'another' })) },
    );
    const { failures, notes } = await madeOf(ruleSet, events, 'e2', { gone: 1 });
    expect(failures).toEqual([]);
    expect(notes).toEqual([
      '1 of its events was decided by another rule set: what was sent is told as this one would have sent it',
      '1 event of the same process is not there any more: the case goes without',
    ]);
  });

  it('is nothing, of what was not decided or heard', async () => {
    const ruleSet = await setOf([rule({})]);
    const [first, second] = await recorded(ruleSet, twice, START + HOUR);
    const undecided = { ...second!, evaluations: [] };
    await expect(madeOf(ruleSet, [first!, undecided], 'e2')).rejects.toMatchObject({
      code: 'EVENT_UNDECIDED',
    });
    await expect(madeOf(ruleSet, [first!], 'e1', { rule: 'long' })).rejects.toMatchObject({
      code: 'RULE_UNKNOWN',
    });
  });
});
