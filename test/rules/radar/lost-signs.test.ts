// The pure core alone, over random streams that lose nothing.
import { describe, expect, it } from '@jest/globals';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { DELIVERED_WITHIN_MS, GRACE_MS } from '../../../src/rules/radar/lost-scan.js';
import { signsOf } from '../../../src/rules/radar/lost-signs.js';
import { observe, placeOf } from '../../../src/rules/state/observe.js';
import { NO_STATE, type ObservedEvent, type RootState } from '../../../src/rules/state/root-state.js';
import { NODE_TYPE, observedEvent, PROCESS_TYPE, TASK_TYPE } from '../../support/observed-events.js';
import { arrivalsOf, randomOf, rankOf, type StoryEvent } from '../../support/task-stories.js';
import { wholeStories } from '../../support/whole-stories.js';

const SEEDS = Number(process.env['RADAR_SEEDS'] ?? 60);
const catalogue = loadBuiltInCatalogue();

const observed = (story: StoryEvent): ObservedEvent => {
  const eventType = story.task === null ? 'corehr.process.updated_v2' : TASK_TYPE;
  const facts = new Map<string, unknown>([
    ['process_id', story.process],
    ['approver_id', story.task],
    ['status', story.status],
  ]);
  return {
    id: story.eventId,
    eventType,
    eventId: story.eventId,
    orderTime: story.createTime,
    statusRank: rankOf(story),
    place: placeOf(catalogue, eventType, facts),
  };
};

const after = (...events: readonly ObservedEvent[]): RootState => {
  let state = NO_STATE;
  for (const event of events) state = observe(state, event).after;
  return state;
};
const task = (id: string, status: number, time: number, node = 'n'): ObservedEvent =>
  observedEvent(TASK_TYPE, `${id}-${status}-${time}`, time, { approver_id: id, status, node_id: node });

describe('signs that an event was lost', () => {
  it('are in no stream that loses nothing, however late, often and disordered its events come', () => {
    let [looked, signs] = [0, 0];
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const states = new Map<string, { state: RootState; changed: number }>();
      const arrivals = arrivalsOf(wholeStories(80, 0, randomOf(seed)));
      for (const [index, { at, events }] of arrivals.entries()) {
        for (const event of events) {
          const { state } = states.get(event.process) ?? { state: NO_STATE };
          states.set(event.process, { state: observe(state, observed(event)).after, changed: at });
        }
        // Until something else arrives nothing changes but the time.
        const now = (arrivals[index + 1]?.at ?? Infinity) - 1;
        for (const { state, changed } of states.values()) {
          if (now - changed < GRACE_MS) continue;
          looked += 1;
          const found = signsOf(state, catalogue).length;
          if (found > 0) signs += 1;
          const lastAt = state.tally.last?.at[0] ?? Infinity;
          if (found > 0 && now - lastAt >= DELIVERED_WITHIN_MS)
            throw new Error(`seed ${seed}: ${JSON.stringify(signsOf(state, catalogue))}`);
        }
      }
    }
    // The streams are disordered enough for signs to be there before the time is up.
    expect(looked).toBeGreaterThan(1000);
    expect(signs).toBeGreaterThan(10);
  });

  it('are a task that was never to do, and one that is to do in a process that has ended', () => {
    const state = after(
      task('1', 3, 10),
      task('2', 1, 20),
      observedEvent(PROCESS_TYPE, 'p9', 30, { status: 9 }),
    );
    expect(signsOf(state, catalogue)).toEqual([
      { sign: 'never-begun', of: 'task:1', status: 3 },
      { sign: 'never-ended', of: 'task:2', status: 1 },
    ]);
  });

  it('are a node that was decided without any task, and one that was passed while a task is to do', () => {
    const node = (id: string, status: number, time: number): ObservedEvent =>
      observedEvent(NODE_TYPE, `${id}-${status}`, time, { process_node_id: id, node_status: status });
    expect(signsOf(after(node('a', 3, 5)), catalogue)).toEqual([
      { sign: 'no-tasks', of: 'node:a', status: 3 },
    ]);
    expect(signsOf(after(node('a', 6, 5)), catalogue)).toEqual([]);
    expect(signsOf(after(task('1', 1, 1, 'a'), node('a', 3, 5)), catalogue)).toEqual([
      { sign: 'never-ended', of: 'task:1', status: 1 },
    ]);
    // Rolled back: the task was opened after that.
    expect(signsOf(after(node('a', 3, 5), task('1', 1, 7, 'a')), catalogue)).toEqual([]);
  });

  it('say nothing of types of which it is not known how their tasks begin', () => {
    const facts = new Map<string, unknown>([
      ['instance_code', 'i'],
      ['task_id', 't'],
      ['status', 'APPROVED'],
    ]);
    const event: ObservedEvent = {
      id: '1',
      eventType: 'approval_task',
      eventId: '1',
      orderTime: 1,
      statusRank: 8,
      place: placeOf(catalogue, 'approval_task', facts),
    };
    expect(signsOf(after(event), catalogue)).toEqual([]);
  });
});
