// Real rows, the real worker, people who act at any moment; the clock is virtual and the targets do anything.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DataSource } from 'typeorm';
import { resultOf } from '../../src/action/attempt-meaning.js';
import { act, DELIVERY_ACTS, type DeliveryAct } from '../../src/action/delivery-acts.js';
import {
  DELIVERY_TRANSITIONS,
  type DeliveryMove,
  type DeliveryState,
  type DeliveryTransition,
  END_STATES,
  isTransition,
} from '../../src/action/delivery-states.js';
import type { AttemptResult } from '../../src/action/sender.js';
import { TestClock } from '../support/clock.js';
import { createTestDatabase, type TestDatabase, withPartitions, emptied } from '../support/database.js';
import { acceptAll, deliveryTo, FakeSender, HANGS, TAKEN, workerOver } from '../support/delivery-workers.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const HOSTS = ['a', 'b'];
const ANSWERS: readonly AttemptResult[] = [
  TAKEN,
  HANGS,
  HANGS,
  resultOf('HTTP_404', 'no'),
  resultOf('HTTP_408', 'later'),
  resultOf('HTTP_503', 'not now', { retryAfterMs: 90_000 }),
];
/** What the machine does by itself. */
const OWN_MOVES: readonly DeliveryMove[] = [
  'due',
  'claim',
  'success',
  'failure',
  'not-sent',
  'refusal',
  'give-up',
];

const STEP = fc.oneof(
  fc.record({
    do: fc.constant('accept' as const),
    host: fc.constantFrom(...HOSTS),
    state: fc.constantFrom<'pending' | 'held' | 'dead'>('pending', 'pending', 'held', 'dead'),
    ordered: fc.boolean(),
  }),
  fc.record({
    do: fc.constant('work' as const),
    answers: fc.tuple(fc.constantFrom(...ANSWERS), fc.constantFrom(...ANSWERS)),
    later: fc.constantFrom(0, MINUTE, HOUR, 7 * HOUR, 80 * HOUR),
  }),
  fc.record({
    do: fc.constant('act' as const),
    at: fc.nat(20),
    act: fc.constantFrom<DeliveryAct>(...DELIVERY_ACTS),
  }),
);

interface Row {
  readonly id: string;
  readonly state: DeliveryState;
  readonly due: number;
  readonly attempt: number;
}

/** All states that the machine can bring a delivery to from one. */
function reachable(from: DeliveryState): ReadonlySet<DeliveryState> {
  const reached = new Set([from]);
  for (const state of reached)
    for (const move of OWN_MOVES) {
      const transition: DeliveryTransition = DELIVERY_TRANSITIONS[move];
      if (transition.from.includes(state)) for (const to of transition.to) reached.add(to);
    }
  return reached;
}

describe('deliveries that people and targets do anything with', () => {
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
  });
  afterAll(() => database.drop());
  const empty = () =>
    emptied(dataSource, 'action_keys, deliveries, attempts, targets, target_lanes, notices');
  beforeEach(empty);

  async function rows(): Promise<ReadonlyMap<string, Row>> {
    const found = await dataSource.query<Row[]>(
      `select id, state, extract(epoch from due_at)::float8 * 1000 as due, attempt from action_keys`,
    );
    return new Map(found.map((row) => [row.id, row]));
  }

  it('go by the table of moves alone, are never due in the past, leave an end only by a person, and all end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { minLength: 3, maxLength: 14 }), async (steps) => {
        await empty();
        const clock = new TestClock();
        const sender = new FakeSender();
        const worker = workerOver(dataSource, clock, sender);
        const orderKey = randomUUID();
        const work = async (): Promise<void> => {
          const before = await rows();
          await worker.drain();
          await worker.giveUp();
          for (const [id, { state, due, attempt }] of await rows()) {
            const was = before.get(id);
            expect(reachable(was?.state ?? state)).toContain(state);
            if (was && (END_STATES as readonly string[]).includes(was.state)) expect(state).toBe(was.state);
            if (state === 'pending' && attempt !== was?.attempt)
              expect(due).toBeGreaterThanOrEqual(clock.now());
          }
        };
        for (const step of steps) {
          if (step.do === 'accept') {
            const { state, ordered, host } = step;
            await withPartitions(dataSource, clock.now());
            const dead = { state, code: 'X', reason: 'x', request: null };
            await acceptAll(dataSource, clock, [
              deliveryTo(host, {
                ...(state === 'dead' ? dead : { state }),
                orderKey: ordered ? orderKey : null,
              }),
            ]);
          } else if (step.do === 'work') {
            HOSTS.forEach((host, at) => sender.answers.set(host, () => step.answers[at] ?? TAKEN));
            clock.advance(step.later);
            await work();
          } else {
            const before = [...(await rows()).values()].sort((x, y) => (x.id < y.id ? -1 : 1));
            const one = before[step.at % Math.max(1, before.length)];
            if (!one) continue;
            const acted = await dataSource.transaction((tx) => act(tx, one.id, step.act, 'r', clock.now()));
            const after = await rows();
            for (const row of before) {
              const now = after.get(row.id)?.state ?? row.state;
              if (row.id === one.id && acted?.done === true)
                expect(isTransition(step.act, row.state, now)).toBe(true);
              // What waited for it in its order goes at once.
              else if (acted?.done === true && row.state === 'deferred' && now !== row.state)
                expect([isTransition('due', row.state, now), acted.state]).toEqual([true, 'cancelled']);
              else expect(now).toBe(row.state);
            }
          }
        }
        // From here on people let go what is held, and no target answers any more.
        for (const host of HOSTS) sender.answers.set(host, () => HANGS);
        for (const { id, state } of (await rows()).values())
          if (state === 'held')
            await dataSource.transaction((tx) => act(tx, id, 'release', null, clock.now()));
        const isOpen = async (): Promise<boolean> =>
          [...(await rows()).values()].some(
            ({ state }) => !(END_STATES as readonly string[]).includes(state),
          );
        for (let rounds = 0; await isOpen(); rounds += 1) {
          expect(rounds).toBeLessThan(400);
          clock.advance(7 * HOUR);
          await work();
        }
      }),
      { numRuns: 15 },
    );
  }, 120_000);
});
