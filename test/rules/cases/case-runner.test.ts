// Pure: cases over compiled rules; nothing is stored, sent or asked.
import { describe, expect, it } from '@jest/globals';
import type { CaseDocument, StepDocument } from '../../../src/rules/cases/case-document.js';
import type { CaseResult } from '../../../src/rules/cases/case-result.js';
import { caseRoom } from '../../support/cases.js';

const TYPE = 'corehr.process.approver.updated_v2';
const TELL = {
  type: 'http',
  name: 'tell',
  url: 'https://a.example/{{ event.approver_id }}',
  headers: { authorization: 'Bearer {{ secrets.TOKEN }}' },
  body: { process: '{{ event.process_id }}', now: '{{ now }}' },
};
const PROCESS = '7072306364927985196';
const is = (value: number): object => ({ all: [{ fact: 'status', operator: 'equal', value }] });
const rule = (more: object = {}): object => ({
  name: 'done',
  owner: 'people-ops',
  trigger: TYPE,
  conditions: is(3),
  actions: [TELL],
  ...more,
});
const done = (task: string): StepDocument => ({ event: { approver_id: task, status: 3 } });
const pass = (advance: string): StepDocument => ({ advance });
const sent = (result: CaseResult): string[] =>
  result.deliveries.map(
    ({ rule: name, action, step, at, state }) =>
      `${name}/${step === null ? '' : `${step}/`}${action} ${state} ${new Date(at).toISOString().slice(5, 16)}`,
  );

/** What is sent by one rule, and how its verdicts were suppressed. */
async function story(own: object, steps: readonly StepDocument[], file: object = {}): Promise<CaseResult> {
  const room = await caseRoom([own]);
  const result = await room.run({ steps, verdicts: {} }, file);
  expect(result.failures).toEqual([]);
  return result;
}
const causes = ({ judged }: CaseResult): (string | null)[] =>
  judged.flatMap(({ rules }) => rules.map(({ suppressed }) => suppressed[0]?.cause ?? null));

describe('a case', () => {
  it('has its deliveries rendered as a try shows them, and its verdicts with reasons', async () => {
    const room = await caseRoom([rule()]);
    const one: Omit<CaseDocument, 'name'> = {
      steps: [
        { event: { status: 3 }, verdicts: { done: 'matched' } },
        pass('1h'),
        { event: { status: 1, approver_id: '7' } },
      ],
      expect: [
        {
          rule: 'done',
          action: 'tell',
          at: '0s',
          with: {
            method: 'POST',
            headers: { authorization: 'Bearer (TOKEN)' },
            body: { process: PROCESS, now: '2026-01-05T01:00:00.000Z' },
          },
        },
      ],
      verdicts: { done: { verdict: 'not matched', because: ['status'] } },
    };
    expect(await room.run(one)).toMatchObject({ ok: true, failures: [], name: 'a', file: 'a.cases.json' });
  });

  it('sends nothing that is not yet due when it ends', async () => {
    const nag = rule({
      conditions: is(1),
      actions: undefined,
      escalate: {
        per: 'task',
        steps: [
          { after: '4h', actions: [TELL] },
          { after: '8h', actions: [TELL] },
        ],
      },
    });
    const steps = [{ event: { status: 1 } }, pass('7h'), pass('59m')];
    expect(sent(await story(nag, steps))).toEqual(['done/4h/tell sent 01-05T05:00']);
    expect(sent(await story(nag, [...steps, pass('2026-01-05T17:00:00+08:00')]))).toHaveLength(2);
    expect(sent(await story(nag, [...steps, done('7072306364927985187'), pass('9h')]))).toHaveLength(1);
  });

  it('counts working time by its own calendar', async () => {
    const nag = rule({
      conditions: is(1),
      actions: undefined,
      escalate: { per: 'task', steps: [{ name: 'day', after: '8 work hours', actions: [TELL] }] },
    });
    const steps = [{ event: { status: 1 } }, pass('10d')];
    // It is Saturday, and Monday the first workday.
    const result = await story(nag, steps, { calendar: 'cn', now: '2026-01-10T10:00:00+08:00' });
    expect(sent(result)).toEqual(['done/day/tell sent 01-12T10:00']);
  });

  it('sends once for what a rule is once for', async () => {
    const result = await story(rule({ oncePer: 'process' }), [
      done('1'),
      done('2'),
      { event: { status: 3, process_id: '9' } },
    ]);
    expect(sent(result)).toHaveLength(2);
    expect(causes(result)).toEqual([null, 'once-per', null]);
  });

  it('throttles within a time and not after it', async () => {
    const throttled = rule({ throttle: { max: 1, per: '1h' } });
    const result = await story(throttled, [done('1'), pass('59m'), done('2'), pass('2m'), done('3')]);
    expect(causes(result)).toEqual([null, 'throttle', null]);
  });

  it('is held by the brake of a rule whose budget is spent', async () => {
    const result = await story(rule({ budget: { max: 1, per: '1h' } }), [done('1'), done('2')]);
    expect(result.deliveries.map(({ state, code }) => [state, code])).toEqual([
      ['sent', null],
      ['held', 'BRAKE_BUDGET'],
    ]);
  });

  it('waits for the end of quiet hours, or is dropped in them', async () => {
    const quiet = (then: string): object => rule({ quietHours: { outside: '10:00-19:00', then } });
    const deferred = await story(quiet('defer'), [done('1'), pass('2h')]);
    expect(sent(deferred)).toEqual(['done/tell sent 01-05T02:00']);
    expect(sent(await story(quiet('defer'), [done('1'), pass('59m')]))).toEqual([]);
    const dropped = await story(quiet('drop'), [done('1'), pass('2h')]);
    expect([sent(dropped), causes(dropped)]).toEqual([[], ['quiet-hours']]);
    expect(sent(await story(quiet('send'), [done('1')]))).toHaveLength(1);
  });

  it('goes out in order: what comes behind one that waits, waits too', async () => {
    const order = (more: object): object => rule({ actions: [{ ...TELL, order: 'process' }], ...more });
    const quiet = { quietHours: { outside: '10:00-19:00', then: 'defer' } };
    const result = await story(order(quiet), [done('1'), done('2'), pass('2h'), done('3')]);
    expect(sent(result)).toEqual([
      'done/tell sent 01-05T02:00',
      'done/tell sent 01-05T02:00',
      'done/tell sent 01-05T03:00',
    ]);
    const held = await story(order({ budget: { max: 1, per: '1h' } }), [
      done('1'),
      done('2'),
      pass('2h'),
      done('3'),
    ]);
    expect(sent(held)).toEqual(['done/tell sent 01-05T01:00', 'done/tell held 01-05T01:00']);
  });

  it('gathers a digest until its window ends, and quiet hours with it', async () => {
    const gathering = (more: object = {}): object =>
      rule({
        digest: { window: '30m', key: 'process_id', item: '{{ event.approver_id }}' },
        actions: [{ ...TELL, url: 'https://a.example/', body: 'All {{ items.length }}:\n{{ items }}' }],
        ...more,
      });
    const steps = [done('1'), pass('20m'), done('2'), pass('10m')];
    const result = await story(gathering(), steps);
    expect(sent(result)).toEqual(['done/tell sent 01-05T01:30']);
    expect(result.deliveries[0]?.request).toMatchObject({ body: 'All 2:\n1\n2' });
    expect(causes(result)).toEqual(['digest', 'digest']);
    expect(sent(await story(gathering(), steps.slice(0, 3)))).toEqual([]);
    const quiet = { quietHours: { outside: '10:00-19:00', then: 'defer' } };
    expect(sent(await story(gathering(quiet), [...steps, pass('1h')]))).toEqual([
      'done/tell sent 01-05T02:00',
    ]);
  });

  it('has the turns of schedules while its clock goes on', async () => {
    const morning = rule({
      name: 'morning',
      trigger: { schedule: '0 10 * * *', timezone: 'Asia/Shanghai', over: 'task' },
      conditions: { all: [{ fact: 'task.firstSeen', operator: 'olderThan', value: '30m' }] },
      digest: { item: '{{ event.approver_id | default: "?" }}' },
      actions: [{ ...TELL, url: 'https://a.example/', body: '{{ items.length }} open' }],
    });
    const room = await caseRoom([morning]);
    const open: StepDocument = { event: { status: 1 }, type: TYPE };
    const one = await room.run({
      steps: [open, pass('1h'), { ...open, event: { approver_id: '8' } }, pass('24h')],
      expect: [
        { rule: 'morning', action: 'tell', at: '1h', with: { body: '1 open' } },
        { rule: 'morning', action: 'tell', at: '25h', with: { body: '2 open' } },
      ],
      verdicts: { morning: { verdict: 'matched', suppressed: { tell: 'digest' } } },
    });
    expect(one.failures).toEqual([]);
    const turns = one.judged.filter(({ eventType }) => eventType === 'aftersign.schedule');
    expect(turns.map(({ step, rules }) => [step, rules[0]?.verdict.verdict])).toEqual([
      [1, 'matched'],
      [3, 'matched'],
    ]);
    const early = await room.run({ steps: [pass('2h')], expect: [], verdicts: { morning: 'not matched' } });
    expect(early.failures).toEqual([]);
  });

  it('applies rules as long as they are in effect', async () => {
    const result = await story(rule({ effective: { from: '2026-01-06' } }), [
      done('1'),
      pass('15h'),
      done('2'),
    ]);
    expect(result.judged.map(({ rules }) => rules[0]?.verdict)).toEqual([
      { rule: 'done', verdict: 'skipped', cause: 'not-yet-effective' },
      { rule: 'done', verdict: 'matched' },
    ]);
  });

  it('leaves out an action whose own conditions do not hold', async () => {
    const when = { all: [{ fact: 'type', operator: 'equal', value: 5 }] };
    const result = await story(rule({ actions: [TELL, { ...TELL, name: 'also', when }] }), [done('1')]);
    expect(sent(result)).toEqual(['done/tell sent 01-05T01:00']);
    expect(result.judged[0]?.rules[0]?.suppressed).toEqual([{ action: 'also', cause: 'when' }]);
  });

  it('knows late events, and decides a duplicate once', async () => {
    const late = rule({ conditions: { all: [{ fact: 'event.late', operator: 'equal', value: true }] } });
    const result = await story(late, [
      { event: { status: 3 } },
      { event: { header: { create_time: '-10m', event_id: 'x' }, event: { status: 1 } } },
      { event: { header: { create_time: '-10m', event_id: 'x' }, event: { status: 1 } } },
    ]);
    expect(result.judged.map(({ rules }) => rules.map(({ verdict }) => verdict.verdict))).toEqual([
      ['not matched'],
      ['matched'],
      [],
    ]);
    expect(sent(result)).toHaveLength(1);
  });

  it('settles what was unknown, and says both', async () => {
    const transition = rule({
      conditions: { all: [{ fact: 'task.previousStatus', operator: 'equal', value: 1 }] },
    });
    const room = await caseRoom([transition]);
    const result = await room.run({
      steps: [
        {
          event: { status: 3 },
          verdicts: { done: { verdict: 'unknown', missing: ['task.previousStatus'] } },
        },
        pass('1h'),
        { event: { header: { create_time: '-2h' }, event: { status: 1 } } },
      ],
      expect: [{ rule: 'done', action: 'tell', at: '1h' }],
    });
    expect(result.failures).toEqual([]);
    expect(result.judged[0]?.settled?.map(({ verdict }) => verdict.verdict)).toEqual(['matched']);
    const alone = await room.run({
      steps: [{ event: { status: 3 } }, { event: { header: { create_time: '-1h' }, event: { status: 1 } } }],
      verdicts: { done: 'not matched' },
    });
    expect(alone.failures).toEqual([]);
  });

  it('is dead when it cannot be rendered', async () => {
    const unknown = rule({
      trigger: 'acme.order',
      conditions: is(1),
      actions: [{ ...TELL, body: '{{ event.gone }}' }],
    });
    const room = await caseRoom([unknown]);
    const steps = [{ event: { status: 1, approver_id: '1', process_id: '2' } }];
    const result = await room.run({
      steps,
      expect: [{ rule: 'done', action: 'tell', state: 'dead', code: 'TEMPLATE_VALUE_MISSING', with: null }],
    });
    expect(result.failures).toEqual([]);
  });
});

describe('the answers of look-ups in a case', () => {
  const LOOKUPS = {
    'lookups.json': { user: { type: 'feishu-user', id: '{{ event.approver_id }}' } },
  };
  const asking = rule({
    conditions: { all: [{ fact: 'lookup.user.job_title', operator: 'equal', value: 'boss' }] },
    actions: [{ ...TELL, body: '{{ lookup.user.name | default: "nobody" }}' }],
  });

  it('hold from their step on, and fail with null or without a word', async () => {
    const room = await caseRoom([asking], LOOKUPS);
    const result = await room.run({
      steps: [
        {
          event: { approver_id: '1' },
          verdicts: { done: { verdict: 'unknown', missing: ['lookup.user.job_title'] } },
        },
        { lookup: { user: { job_title: 'boss', name: '林' } } },
        { event: { approver_id: '2' }, verdicts: { done: 'matched' } },
        { event: { approver_id: '3' }, verdicts: { done: 'matched' } },
        { lookup: { user: null } },
        { event: { approver_id: '4' }, verdicts: { done: 'unknown' } },
      ],
      expect: [
        { rule: 'done', action: 'tell', with: { url: 'https://a.example/2', body: '林' } },
        { rule: 'done', action: 'tell', with: { url: 'https://a.example/3', body: '林' } },
      ],
    });
    expect(result.failures).toEqual([]);
  });

  it('are asked again before a step, and so is the platform whether anybody is waited for', async () => {
    const nag = rule({
      conditions: is(1),
      actions: undefined,
      escalate: {
        per: 'task',
        confirm: true,
        steps: [
          { after: '1h', actions: [{ ...TELL, body: '{{ lookup.user.name | default: "nobody" }}' }] },
          { after: '2h', actions: [TELL] },
          { after: '3h', actions: [TELL] },
        ],
      },
    });
    const room = await caseRoom([nag], LOOKUPS);
    const ends = async (confirm: unknown): Promise<string[]> =>
      sent(
        await room.run({
          steps: [
            { event: { status: 1 } },
            { lookup: { user: { name: '林' } } },
            pass('1h'),
            ...(confirm === undefined ? [] : [{ lookup: { confirm } }]),
            pass('5h'),
          ],
          verdicts: {},
        }),
      );
    const all = [
      'done/1h/tell sent 01-05T02:00',
      'done/2h/tell sent 01-05T03:00',
      'done/3h/tell sent 01-05T04:00',
    ];
    expect(await ends(undefined)).toEqual(all);
    expect(await ends(null)).toEqual(all);
    expect(await ends(true)).toEqual(all);
    expect(await ends(false)).toEqual(all.slice(0, 1));
    expect(await ends({ status: 9 })).toEqual(all.slice(0, 1));
    expect(await ends({ status: 1, task: { list: 'todos' } })).toEqual(all);
  });
});

describe('the rules that a case watches', () => {
  const files = (cases: object, ruleFile = 'done.rule.json'): Readonly<Record<string, object>> => ({
    [ruleFile]: rule(),
    'done.cases.json': cases,
  });

  it('are those beside it and those it names; what others send does not matter', async () => {
    const other = rule({ name: 'other' });
    const room = await caseRoom([other], files({ cases: [{ name: 'a', steps: [done('1')], expect: [] }] }));
    const watched = async (one: Partial<CaseDocument>, file: object = {}): Promise<string[]> =>
      sent(await room.run({ steps: [done('1')], verdicts: {}, ...one }, file)).map(
        (text) => text.split('/')[0] ?? '',
      );
    expect(await watched({})).toEqual(['done', 'other']);
    expect(await watched({ rules: ['other'] })).toEqual(['other']);
    expect(await watched({}, { rules: ['done'] })).toEqual(['done']);
    expect(await watched({ rules: ['other'] }, { rules: ['done'] })).toEqual(['other']);
  });

  it.each([
    [{ rules: ['don'] }, 'there is no rule "don". Did you mean "done"?'],
    [{ expect: [{ rule: 'dnoe', action: 'tell' }] }, 'there is no rule "dnoe". Did you mean "done"?'],
    [
      { expect: [{ rule: 'done', action: 'tel' }] },
      'the rule "done" has no action "tel". Did you mean "tell"?',
    ],
    [
      { expect: [{ rule: 'done', step: '4h', action: 'tell' }] },
      'the rule "done" does not escalate: it has no step "4h"',
    ],
    [
      { rules: ['other'], expect: [{ rule: 'done', action: 'tell' }] },
      'the case expects something of "done" and does not watch it: add it to "rules"',
    ],
    [
      { verdicts: { done: { verdict: 'matched', suppressed: { tall: 'when' } } } },
      'the rule "done" has no action "tall". Did you mean "tell"?',
    ],
    [{ steps: [{ lookup: { user: {} } }] }, 'there is no look-up "user". Use one of confirm.'],
    [{ steps: [{ event: { sttaus: 3 } }] }, `"sttaus" is no field of ${TYPE}. Did you mean "status"?`],
    [
      { steps: [pass('2026-01-01T00:00:00Z')] },
      'the clock goes only forward: 2026-01-01T00:00:00Z is past, it is 2026-01-05T01:00:00.000Z',
    ],
  ])('are there, or the case is broken: %j', async (one, message) => {
    const room = await caseRoom([rule(), rule({ name: 'other' })]);
    const result = await room.run({ steps: [done('1')], verdicts: {}, ...(one as Partial<CaseDocument>) });
    expect(result.failures).toEqual([expect.objectContaining({ kind: 'broken', message })]);
    expect(result.ok).toBe(false);
  });

  it('are not asked for the impossible: an endless clock is broken', async () => {
    const minutely = rule({
      trigger: { schedule: '* * * * *', over: 'task' },
      conditions: { all: [{ fact: 'task.age', operator: 'greaterThan', value: 1 }] },
    });
    const room = await caseRoom([minutely]);
    const result = await room.run({ steps: [pass('20d')], expect: [] });
    expect(result.failures).toMatchObject([
      { kind: 'broken', step: 0, message: expect.stringContaining('let less time pass') },
    ]);
  });
});

describe('whoever observes the cases', () => {
  it('is told what was asked with which facts, and what was sent', async () => {
    const told: string[] = [];
    const when = { all: [{ fact: 'type', operator: 'equal', value: 5 }] };
    const nag = rule({
      name: 'nag',
      conditions: is(1),
      actions: [TELL, { ...TELL, name: 'also', when }],
      escalate: {
        per: 'task',
        steps: [{ name: 'soon', after: '1h', actions: [{ ...TELL, when: { not: when } }] }],
        cancelOn: is(4),
      },
    });
    const room = await caseRoom(
      [nag, rule()],
      {},
      {
        observer: {
          asked: ({ name }, part, facts) => {
            told.push(`${name} ${JSON.stringify(part)} ${String(facts.get('status'))}`);
          },
          sent: ({ name }, action, step) => {
            told.push(`${name} sent ${JSON.stringify([step, action])}`);
          },
        },
      },
    );
    await room.run({ steps: [{ event: { status: 1 } }, pass('1h'), { event: { status: 4 } }], verdicts: {} });
    expect([...new Set(told)].sort()).toEqual([
      'done {"part":"conditions"} 1',
      'done {"part":"conditions"} 4',
      'nag sent ["soon","tell"]',
      'nag sent [null,"tell"]',
      'nag {"part":"cancelOn"} 4',
      'nag {"part":"conditions"} 1',
      'nag {"part":"conditions"} 4',
      'nag {"part":"when","action":"also","step":null} 1',
      'nag {"part":"when","action":"tell","step":"soon"} 1',
    ]);
  });
});
