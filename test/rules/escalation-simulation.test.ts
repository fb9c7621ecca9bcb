// Pure: the core on a virtual clock, against a reference that is worked out task by task.
import { describe, expect, it } from '@jest/globals';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { type VirtualEvent, VirtualRoom } from '../../src/rules/cases/virtual-room.js';
import { compileRuleSet } from '../../src/rules/rule-compiler.js';
import {
  arrivalsOf,
  expectedSteps,
  randomOf,
  rankOf,
  type StoryEvent,
  stepTexts,
  taskStories,
} from '../support/task-stories.js';

const HOUR = 3_600_000;
const BEGIN = Date.UTC(2026, 10, 2, 1);
const seed = Number(process.env['FC_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const TASKS = Number(process.env['SIMULATED_TASKS'] ?? 5000);
const STEPS = [
  { name: '24h', after: 24 * HOUR },
  { name: 'boss', after: 48 * HOUR },
  { name: '3d', after: 72 * HOUR },
];

const RULE = {
  name: 'nag',
  trigger: ['corehr.process.approver.updated_v2'],
  conditions: { all: [{ fact: 'status', operator: 'equal', value: 1 }] },
  escalate: {
    per: 'task',
    steps: STEPS.map(({ name, after }) => ({
      name,
      after: `${after / HOUR}h`,
      actions: [{ type: 'http', name: 'tell', url: 'https://a.example/{{ event.approver_id }}' }],
    })),
  },
};

function virtual({ eventId, process, task, status, createTime, ...rest }: StoryEvent): VirtualEvent {
  const eventType = task === null ? 'corehr.process.updated_v2' : 'corehr.process.approver.updated_v2';
  const facts = new Map<string, unknown>([
    ['event_type', eventType],
    ['event_id', eventId],
    ['create_time', createTime],
    ['process_id', process],
    ['status', status],
    ...(task === null
      ? []
      : ([
          ['approver_id', task],
          ['node_id', `n-${process}`],
        ] as const)),
  ]);
  const statusRank = rankOf({ eventId, process, task, status, createTime, ...rest });
  return {
    id: eventId,
    entity: `process:${process}`,
    subject: { key: eventId, eventType, entity: `process:${process}`, appId: null, facts },
    order: { orderTime: createTime, statusRank, eventId },
  };
}

describe(`escalations of ${TASKS} tasks (seed ${seed})`, () => {
  it('send every step that is due and none after a cancel that came before, each once, at its time', async () => {
    const { ruleSet, findings } = await compileRuleSet(
      new Map([['a.rule.json', JSON.stringify(RULE)]]),
      loadBuiltInCatalogue(),
    );
    if (!ruleSet) throw new Error(JSON.stringify(findings));
    const events = taskStories(TASKS, BEGIN, randomOf(seed));
    const room = new VirtualRoom(ruleSet, { timezone: 'Asia/Shanghai' });
    const known = new Set<string>();
    const end = BEGIN + 400 * HOUR;
    let now = BEGIN;
    for (const { at, events: arriving } of arrivalsOf(events)) {
      // What is due at the same time comes after the events of that time.
      await room.advance(now, at - 1);
      now = at;
      const fresh = arriving.filter(({ eventId }) => !known.has(eventId));
      for (const { eventId } of fresh) known.add(eventId);
      await room.receive(at, fresh.map(virtual));
      await room.advance(at, at);
    }
    await room.advance(now, end);
    const expected = expectedSteps(events, STEPS, end);
    expect(expected.length).toBeGreaterThan(TASKS / 4);
    const sent = room.deliveries.map(({ at, delivery: { cause, request } }) => {
      if (at === null) throw new Error('nothing defers them');
      const [armedBy = '', step = ''] = cause.split('#');
      const url = request?.kind === 'http' ? request.content.url : '';
      return { at, armedBy, step, task: url.slice('https://a.example/'.length) };
    });
    expect(stepTexts(sent)).toEqual(stepTexts(expected));
  }, 120_000);
});
