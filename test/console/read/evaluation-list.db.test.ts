// Real PostgreSQL; what is found is compared with a look at every evaluation.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import {
  EvaluationList,
  type EvaluationFilter,
  type EvaluationRow,
} from '../../../src/console/read/evaluation-list.js';
import { standingTerms } from '../../../src/events/event-terms.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

const DAY = 86_400_000;
const START = Date.UTC(2026, 9, 20);
const DAYS = 8;

interface Made {
  readonly id: string;
  readonly decidedAt: number;
  readonly matched: number;
  readonly unknown: number;
  readonly errors: number;
  readonly occasions: readonly string[];
}

describe('the list of evaluations', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let list: EvaluationList;
  let narrow: EvaluationList;
  const made: Made[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
    list = new EvaluationList(dataSource);
    narrow = new EvaluationList(dataSource, { few: 8, more: 30 });
    await dataSource.query('select ensure_partitions($1::date, $2::date)', ['2026-10-19', '2026-11-03']);
    for (let n = 0; n < 300; n += 1) {
      const receivedAt = START + n * 1_000_000;
      const one = {
        id: uuidv7({ msecs: receivedAt }),
        // Some wait for days.
        decidedAt: receivedAt + (n % 17 === 0 ? 3 * DAY : 50),
        matched: n % 3,
        unknown: Number(n % 41 === 0),
        errors: Number(n % 53 === 0),
        occasions: n % 20 === 7 ? ['live', 'replay:1'] : ['live'],
      };
      made.push(one);
      await dataSource.query(
        `insert into events (id, received_at, origin, event_id, event_type, source, raw)
         values ($1, now(), 'o', $1::uuid::text, 'shop.order', 'webhook', '')`,
        [one.id],
      );
      await dataSource.query('insert into event_search (id, terms) values ($1, $2)', [
        one.id,
        standingTerms('decided', one),
      ]);
      for (const occasion of one.occasions)
        await dataSource.query(
          `insert into evaluations (event_id, occasion, decided_at, rule_set, verdicts, inputs, matched, unknown, errors)
           values ($1, $2, $3, 'h', '[]', '{}', $4, $5, $6)`,
          [one.id, occasion, new Date(one.decidedAt), one.matched, one.unknown, one.errors],
        );
    }
    await dataSource.query('analyze');
  });
  afterAll(() => database.drop());

  async function ids(filter: EvaluationFilter, limit: number, by: EvaluationList): Promise<string[]> {
    const found: string[] = [];
    let after: string | null = null;
    for (;;) {
      const rows: EvaluationRow[] = await by.list(filter, { limit, after });
      found.push(...rows.slice(0, limit).map(({ id }) => id));
      if (rows.length <= limit) return found;
      after = found.at(-1) ?? null;
    }
  }

  it('finds by any filters together what a look at every evaluation finds, in pages of any size', async () => {
    const each = {
      verdict: fc.constantFrom('matched', 'not matched', 'unknown', 'error'),
      occasion: fc.constantFrom('live', 'replay:1', 'none'),
      since: fc.integer({ min: -1, max: DAYS }).map((day) => new Date(START + day * DAY)),
      until: fc.integer({ min: 0, max: DAYS }).map((day) => new Date(START + day * DAY)),
    };
    await fc.assert(
      fc.asyncProperty(
        fc.subarray(Object.keys(each)),
        fc.record(each),
        fc.integer({ min: 9, max: 150 }),
        async (names, values, limit) => {
          const filter = Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));
          const right = made
            .filter((one) => fits(one, filter))
            .map(({ id }) => id)
            .sort()
            .reverse();
          expect(await ids(filter, Math.max(limit, 20), list)).toEqual(right);
          expect(await ids(filter, limit, narrow)).toEqual(right);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('tells who decided what, and when', async () => {
    const last = made.at(-1)!;
    expect((await list.list({}, { limit: 1, after: null }))[0]).toEqual({
      id: last.id,
      eventId: last.id,
      occasion: 'live',
      decidedAt: new Date(last.decidedAt),
      ruleSet: 'h',
      eventType: 'shop.order',
      matched: last.matched,
      unknown: last.unknown,
      errors: last.errors,
    });
  });
});

function fits(one: Made, { verdict, occasion = 'live', since, until }: EvaluationFilter): boolean {
  const verdicts = [
    one.matched > 0 ? 'matched' : 'not matched',
    ...(one.unknown > 0 ? ['unknown'] : []),
    ...(one.errors > 0 ? ['error'] : []),
  ];
  return (
    one.occasions.includes(occasion) &&
    (verdict === undefined || verdicts.includes(verdict)) &&
    (since === undefined || one.decidedAt >= since.getTime()) &&
    (until === undefined || one.decidedAt < until.getTime())
  );
}
