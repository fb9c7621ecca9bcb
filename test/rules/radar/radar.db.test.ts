// Real PostgreSQL, the real rules room over a month of stored events; the clock is virtual.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import type { RadarFinding } from '../../../src/rules/radar/finding.js';
import { TestClock } from '../../support/clock.js';
import { createTestDatabase, emptied, emptyRulesRoom, type TestDatabase } from '../../support/database.js';
import { incomingApprover } from '../../support/feishu.js';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { RulesRoom } from '../../support/rules.js';
import { randomOf } from '../../support/task-stories.js';

const HOUR = 3_600_000;
const DAYS = Number(process.env['RADAR_DAYS'] ?? 20);
const SEED = Number(process.env['RADAR_SEED'] ?? 1);
const TASK_TYPE = 'corehr.process.approver.updated_v2';
const NODES = ['approval_7c7d9c4d25b', 'approval_1f0e33a07d2', 'approval_90ab12cd34e'] as const;
const catalogue = loadBuiltInCatalogue();

interface Leaf {
  readonly fact: string;
  readonly operator: string;
  readonly value: unknown;
}
const leaf = (fact: string, value: unknown, operator = 'equal'): Leaf => ({ fact, operator, value });
const rule = (name: string, all: readonly Leaf[], more: object = {}): object => ({
  name,
  owner: 'people-ops',
  trigger: TASK_TYPE,
  conditions: { all },
  actions: [{ type: 'http', name: 'tell', url: 'https://a.example/' }],
  ...more,
});
/** Rules as they are where all is well: busy ones, rare ones, one that waits for what hardly ever happens, and one that is off. */
const HEALTHY = [
  rule('renewal-done', [leaf('biz_type', 'renewal_record'), leaf('status', 3)]),
  rule('renewal-rejected', [leaf('biz_type', 'renewal_record'), leaf('status', 2)]),
  rule('transfer-node', [
    leaf('biz_type', ['transfer', 'job_change'], 'in'),
    leaf('node_definition_id', NODES[0]),
    leaf('status', 3),
  ]),
  rule('intervened', [leaf('biz_type', 'transfer'), leaf('status', 18)]),
  rule('rare-business', [leaf('biz_type', 'expatriation'), leaf('status', 3)]),
  rule('switched-off', [leaf('biz_type', 'renewal_recrod')], { enabled: false }),
  rule('being-tried', [leaf('biz_type', 'renewal_recrod')], { mode: 'shadow' }),
];
const OWNERS = {
  'owners.json': {
    '*': { tell: [{ type: 'http', url: 'https://ops.example/' }] },
    'people-ops': { tell: [{ type: 'http', url: 'https://people.example/' }] },
  },
};

describe('the radar', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let clock: TestClock;
  let room: RulesRoom;
  let serial = 0;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open();
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await emptyRulesRoom(dataSource);
    await emptied(dataSource, 'radar_findings, radar_hours, radar_asked, reconciled_events');
    await dataSource.query('update radar_progress set computed_at = null, counted_until = null, looked = 0');
    clock = new TestClock(Date.UTC(2026, 8, 1));
    room = new RulesRoom(dataSource, clock);
  });

  /** One task from its begin to its end, told in order. */
  const task = async (fields: Readonly<Record<string, unknown>>, end: number): Promise<void> => {
    serial += 1;
    const ids = { process_id: `p${serial}`, approver_id: `t${serial}` };
    for (const status of [1, end])
      await room.store(
        incomingApprover(
          catalogue,
          `e${serial}-${status}`,
          clock.now() + status,
          { ...fields, ...ids, status },
          'cli_a',
        ),
      );
  };
  /** Days of traffic: busy on workdays, next to nothing on weekends. */
  const days = async (
    count: number,
    change: (fields: Record<string, unknown>, day: number) => Record<string, unknown> = (one) => one,
  ): Promise<void> => {
    const random = randomOf(SEED);
    for (let day = 0; day < count; day += 1) {
      const isWorkday = ![0, 6].includes(new Date(clock.now()).getUTCDay());
      for (let hour = 1; hour <= 10; hour += 3) {
        clock.advance(3 * HOUR);
        for (let n = 0; n < (isWorkday ? 3 : random() < 0.1 ? 1 : 0); n += 1) {
          const fields = {
            biz_type: ['renewal_record', 'renewal_record', 'transfer', 'job_change'][
              Math.floor(random() * 4)
            ],
            node_definition_id: NODES[Math.floor(random() * 3)],
          };
          await task(change(fields, day), random() < 0.1 ? 2 : 3);
        }
      }
      clock.advance(12 * HOUR);
      await room.decisions.drain();
    }
  };
  const found = async (): Promise<readonly RadarFinding[]> =>
    (await room.radarRoom.radar.compute())?.findings ?? [];

  it('finds nothing in quiet weeks', async () => {
    await room.activate(HEALTHY, OWNERS);
    await days(DAYS);
    expect(await found()).toEqual([]);
    const [{ looked }] = await dataSource.query<[{ looked: number }]>('select looked from radar_progress');
    expect(looked).toBeGreaterThan(DAYS * 12);
  });

  it('finds a business that no rule reads, a status that nobody knows, and a typo', async () => {
    await room.activate(
      [
        ...HEALTHY,
        rule('typo-in-business', [leaf('biz_type', 'renewal_recrod'), leaf('status', 3)]),
        rule('typo-in-node', [
          leaf('biz_type', 'renewal_record'),
          leaf('node_definition_id', 'approval_7c7d9c4d25d'),
        ]),
        rule('copied-node', [
          leaf('biz_type', 'transfer'),
          leaf('node_definition_id', 'approval_of_another_flow'),
        ]),
        rule('huge', [leaf('biz_type', 'transfer'), leaf('create_time', 4_000_000_000_000, 'greaterThan')]),
      ],
      OWNERS,
    );
    await days(10);
    for (let n = 0; n < 6; n += 1) await task({ biz_type: 'probation' }, 3);
    for (let n = 0; n < 2; n += 1) await task({ biz_type: 'once_only' }, 3);
    await task({ biz_type: 'renewal_record' }, 7);
    await room.decisions.drain();
    const all = await found();
    expect(all.map(({ kind, subject }) => `${kind} ${subject}`).sort()).toEqual([
      'failing-condition rule:copied-node',
      'failing-condition rule:typo-in-business',
      'failing-condition rule:typo-in-node',
      `unknown-value ${TASK_TYPE} status 7`,
      `unread-value ${TASK_TYPE} biz_type probation`,
    ]);
    const about = (subject: string): RadarFinding | undefined =>
      all.find((one) => one.subject.endsWith(subject));
    expect(about('probation')).toMatchObject({
      count: 12,
      detail: { field: 'biz_type', value: 'probation' },
    });
    expect(about('status 7')).toMatchObject({ count: 1, detail: { value: '7' } });
    expect(about('status 7')?.rules).toContain('renewal-done');
    expect(about('typo-in-business')).toMatchObject({
      detail: { fact: 'biz_type', wanted: 'renewal_recrod', nearest: 'renewal_record' },
    });
    expect(about('typo-in-node')).toMatchObject({
      detail: { fact: 'node_definition_id', wanted: 'approval_7c7d9c4d25d', nearest: NODES[0] },
    });
    expect(about('copied-node')).toMatchObject({ detail: { nearest: null } });
    expect((about('copied-node')?.count ?? 0) >= 20).toBe(true);
  });

  it('finds a rule that has stopped firing while what it listens to still comes in, and that it fires again', async () => {
    await room.activate(HEALTHY, OWNERS);
    await days(14);
    // The flow was published anew, and its business is called otherwise.
    const renamed = (fields: Record<string, unknown>): Record<string, unknown> =>
      fields['biz_type'] === 'renewal_record' ? { ...fields, biz_type: 'renewal_record_v2' } : fields;
    await days(2, renamed);
    expect((await found()).filter(({ kind }) => kind === 'silent-rule')).toEqual([]);
    await days(8, renamed);
    const all = await found();
    expect(all.map(({ kind, subject }) => `${kind} ${subject}`).sort()).toEqual([
      'silent-rule rule:renewal-done',
      `unread-value ${TASK_TYPE} biz_type renewal_record_v2`,
    ]);
    expect(all.find(({ kind }) => kind === 'unread-value')).toMatchObject({ detail: { nearest: null } });
    await days(2);
    await found();
    const states = await dataSource.query<{ state: string }[]>(
      `select state from radar_findings where kind = 'silent-rule'`,
    );
    expect(states).toEqual([{ state: 'gone' }]);
  });

  it('has the owners of the rules told once, those named for all else of the rest, and nobody of what was dismissed', async () => {
    await room.activate(
      [...HEALTHY, rule('typo', [leaf('biz_type', 'renewal_recrod'), leaf('status', 3)])],
      OWNERS,
    );
    await days(6);
    for (let n = 0; n < 6; n += 1) await task({ biz_type: 'probation' }, 3);
    await room.settle();
    const told = async (): Promise<unknown[]> => {
      await room.settle();
      return await dataSource.query(
        `select n.kind, n.subject, d.target from notices n join deliveries d on d.event_id = n.id order by n.kind`,
      );
    };
    await room.radar.drain();
    const both = [
      { kind: 'failing-condition', subject: 'rule:typo', target: 'http:people.example' },
      { kind: 'unread-value', subject: `${TASK_TYPE} biz_type`, target: 'http:ops.example' },
    ];
    expect(await told()).toEqual(both);
    const [open] = await room.radarRoom.findings.list(['open'], 'unread-value');
    await room.radarRoom.findings.dismiss(
      dataSource.manager,
      open?.id ?? '',
      'li@ops',
      'no rule is wanted',
      clock.now(),
    );
    clock.advance(2 * HOUR);
    for (let n = 0; n < 6; n += 1) await task({ biz_type: 'probation' }, 3);
    await room.settle();
    await room.radar.drain();
    expect(await told()).toEqual(both);
    expect(await room.radarRoom.findings.list(['dismissed'], null)).toMatchObject([
      { kind: 'unread-value', count: 24, endedBy: 'li@ops', reason: 'no rule is wanted' },
    ]);
    // Within the hour nobody looks again.
    clock.advance(30 * 60_000);
    const before = await room.radarRoom.findings.progress();
    await room.radar.drain();
    expect(await room.radarRoom.findings.progress()).toEqual(before);
  });
});
