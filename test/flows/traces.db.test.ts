// One event through the real service and, after a stop, through another one on the same database: real PostgreSQL, a
// real target that fails at first, a real OTLP/HTTP collector. The clock is virtual.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { startService, type TestService } from '../support/app.js';
import { TestClock } from '../support/clock.js';
import { type CollectedSpan, type Collector, startCollector } from '../support/collector.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { until } from '../support/door.js';
import { APP_SETTINGS, type Push, pushOfApprover } from '../support/feishu.js';
import { folderWith } from '../support/folder.js';
import { freePort } from '../support/process.js';
import { type Received, type Receiver, startReceiver } from '../support/receiver.js';

const CALLER = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
const CANARY = 'canary-4c1f';
const RULE = {
  name: 'tell-payroll',
  trigger: 'corehr.process.approver.updated_v2',
  conditions: { all: [{ fact: 'lookup.desk.open', operator: 'equal', value: true }] },
  actions: [
    {
      type: 'http',
      name: 'tell',
      url: '{{ secrets.TARGET }}',
      headers: { authorization: 'Bearer {{ secrets.TOKEN }}' },
      body: { who: '{{ event.approver_id }}' },
      retry: ['1m', '1m'],
    },
  ],
};
const DESK = {
  type: 'http',
  url: '{{ secrets.DESK }}/{{ event.process_id }}?key=1',
  fields: { open: { type: 'boolean', label: { zh: '开', en: 'open' } } },
};

describe('the trace of an event', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  let target: Receiver;
  let collector: Collector;
  let answers: number[];
  let clock: TestClock;
  let services: TestService[];

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await database.open(2);
    target = await startReceiver(({ path }, response) => {
      if (path.startsWith('/desk')) {
        response.end('{"open": true}');
        return;
      }
      response.statusCode = answers.shift() ?? 200;
      response.end(`no place for ${CANARY}`);
    });
  });
  beforeEach(async () => {
    collector = await startCollector();
    target.received.splice(0);
    answers = [];
    clock = new TestClock(Date.now());
    services = [];
  });
  afterEach(async () => {
    for (const service of services) await service.close();
    await collector.close();
  });
  afterAll(async () => {
    await target.close();
    await database.drop();
  });

  async function start(settings: NodeJS.ProcessEnv = {}): Promise<TestService> {
    const rules = folderWith({
      'tell.rule.json': JSON.stringify(RULE),
      'lookups.json': JSON.stringify({ desk: DESK }),
    });
    const service = await startService(
      {
        ...APP_SETTINGS,
        DATABASE_URL: database.url,
        RULES_DIR: rules,
        OUTBOUND_ALLOW: '127.0.0.1',
        SECRET_TARGET: `${target.url}/payroll/${CANARY}?key=${CANARY}`,
        SECRET_DESK: `${target.url}/desk`,
        SECRET_TOKEN: CANARY,
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
        OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20collector',
        ...settings,
      },
      clock,
    );
    services.push(service);
    return service;
  }
  async function stop(): Promise<void> {
    for (const service of services.splice(0)) await service.close();
  }
  async function push({ url }: TestService, { headers, body }: Push): Promise<number> {
    const traceparent = `00-${CALLER.traceId}-${CALLER.spanId}-01`;
    const answer = await fetch(`${url}/webhook/event`, {
      method: 'POST',
      headers: { ...headers, traceparent },
      body,
    });
    await answer.text();
    return answer.status;
  }
  const idOf = async (push: Push): Promise<string> => {
    const [row] = await dataSource.query<{ id: string }[]>('select id from event_keys where event_id = $1', [
      push.eventId,
    ]);
    return row?.id ?? '';
  };
  const stands = async (push: Push, state: string, attempt: number): Promise<void> => {
    await until(async () => {
      const rows = await dataSource.query<unknown[]>(
        `select 1 from action_keys k join deliveries d on d.id = k.id join event_keys e on e.id = d.event_id
          where e.event_id = $1 and k.state = $2 and k.attempt = $3`,
        [push.eventId, state, attempt],
      );
      return rows.length > 0;
    }, 10_000);
  };
  const attempts = (): Received[] => target.received.filter(({ path }) => path.startsWith('/payroll'));
  const one = (spans: readonly CollectedSpan[], name: string): CollectedSpan => {
    const found = spans.filter((span) => span.name === name);
    expect(found).toHaveLength(1);
    return found[0]!;
  };

  it('goes from its receipt to the last attempt, over a restart', async () => {
    answers = [503];
    const event = pushOfApprover({ approver_id: 'ou_1234567890' });
    const first = await start();
    // The repetition is another request for what is stored already.
    expect([await push(first, event), await push(first, event)]).toEqual([200, 200]);
    await stands(event, 'pending', 1);
    await stop();
    clock.advance(3_600_000);
    await start();
    await stands(event, 'delivered', 2);
    await stop();

    const id = await idOf(event);
    const spans = collector.spans();
    expect(spans.map(({ name }) => name).sort()).toEqual([
      'delivery.attempt',
      'delivery.attempt',
      'event.decide',
      'event.receive',
      'lookup.fetch',
    ]);
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([id.replaceAll('-', '')]));
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(5);
    const receive = one(spans, 'event.receive');
    const decide = one(spans, 'event.decide');
    const lookup = one(spans, 'lookup.fetch');
    const [failed, delivered] = spans.filter(({ name }) => name === 'delivery.attempt');
    expect(receive.parentSpanId).toBeUndefined();
    expect(receive.links).toEqual([expect.objectContaining(CALLER)]);
    expect([decide.parentSpanId, lookup.parentSpanId]).toEqual([receive.spanId, receive.spanId]);
    expect([failed?.parentSpanId, delivered?.parentSpanId]).toEqual([decide.spanId, decide.spanId]);

    expect(receive).toMatchObject({
      kind: 2,
      attributes: {
        'aftersign.event.id': id,
        'aftersign.event.type': 'corehr.process.approver.updated_v2',
        'aftersign.event.source': 'feishu-webhook',
        'http.request.method': 'POST',
        'http.route': '/webhook/event',
        'http.response.status_code': 200,
      },
      resource: { 'service.name': 'aftersign', 'service.version': '0.1.0' },
    });
    expect(decide.attributes).toMatchObject({
      'aftersign.occasion': 'live',
      'aftersign.rules.matched': ['tell-payroll'],
      'aftersign.deliveries': 1,
    });
    expect(lookup.attributes).toMatchObject({
      'aftersign.lookup.name': 'desk',
      'aftersign.lookup.outcome': 'answer',
      'http.request.method': 'GET',
      'server.address': '127.0.0.1',
      'server.port': target.port,
    });
    expect(failed).toMatchObject({
      kind: 3,
      status: { code: 2, message: 'HTTP_503' },
      attributes: {
        'aftersign.rule': 'tell-payroll',
        'aftersign.delivery.attempt': 1,
        'aftersign.delivery.outcome': 'retry',
        'aftersign.delivery.code': 'HTTP_503',
        'error.type': 'HTTP_503',
        'http.response.status_code': 503,
        'server.address': '127.0.0.1',
      },
    });
    expect(delivered?.status.code ?? 0).toBe(0);
    expect(delivered?.attributes).toMatchObject({
      'aftersign.delivery.attempt': 2,
      'aftersign.delivery.outcome': 'delivered',
      'http.response.status_code': 200,
    });
    const hour = BigInt(delivered?.startTimeUnixNano ?? 0) - BigInt(receive.startTimeUnixNano);
    expect(hour).toBeGreaterThanOrEqual(3_600_000_000_000n);

    // What goes out takes the trace along.
    const [traceId] = spans.map((span) => span.traceId);
    expect(attempts().map(({ headers }) => headers['traceparent'])).toEqual([
      `00-${traceId}-${failed?.spanId}-01`,
      `00-${traceId}-${delivered?.spanId}-01`,
    ]);
    const desk = target.received.find(({ path }) => path.startsWith('/desk'));
    expect(desk?.headers['traceparent']).toBe(`00-${traceId}-${lookup.spanId}-01`);
    // Each instance names itself.
    expect(new Set(spans.map(({ resource }) => resource['service.instance.id'])).size).toBe(2);

    for (const { path, headers, body } of collector.received) {
      expect([path, headers['content-type'], headers['authorization'], headers['traceparent']]).toEqual([
        '/otlp/v1/traces',
        'application/json',
        'Bearer collector',
        undefined,
      ]);
      for (const secret of [CANARY, 'key=', '/payroll', '/desk', 'ou_1234567890'])
        expect(body).not.toContain(secret);
    }
  });

  it('has one span for each attempt, also for one whose instance died', async () => {
    answers = [503, 503];
    const event = pushOfApprover();
    const service = await start();
    await push(service, event);
    await stands(event, 'pending', 1);
    const id = await idOf(event);
    // As a process leaves it that was killed while sending.
    await dataSource.query(
      `update action_keys set state = 'delivering', attempt = 2, lease_until = now() - interval '1 s'
        where id in (select id from deliveries where event_id = $1)`,
      [id],
    );
    await until(async () => {
      const rows = await dataSource.query<unknown[]>(
        `select 1 from attempts a join deliveries d on d.id = a.delivery_id where d.event_id = $1 and outcome = 'lost'`,
        [id],
      );
      return rows.length > 0;
    }, 10_000);
    clock.advance(120_000);
    await stands(event, 'dead', 3);
    await stop();
    const told = collector
      .spans()
      .filter(({ name }) => name === 'delivery.attempt')
      .map(({ attributes }) => [
        attributes['aftersign.delivery.attempt'],
        attributes['aftersign.delivery.outcome'],
      ]);
    expect(told.sort()).toEqual([
      [1, 'retry'],
      [2, 'lost'],
      [3, 'retry'],
    ]);
  });

  it('is the choice of the trace id alone which events are traced', async () => {
    const events = Array.from({ length: 24 }, () => pushOfApprover());
    const service = await start({ OTEL_TRACES_SAMPLER_ARG: '0.5' });
    for (const event of events) await push(service, event);
    for (const event of events) await stands(event, 'delivered', 1);
    await stop();
    const byTrace = new Map<string, string[]>();
    for (const { traceId, name } of collector.spans())
      byTrace.set(traceId, [...(byTrace.get(traceId) ?? []), name]);
    // Whole traces or none: 2^-24 for each end.
    expect(byTrace.size).toBeGreaterThan(0);
    expect(byTrace.size).toBeLessThan(24);
    for (const names of byTrace.values()) expect(names).toHaveLength(4);
    const said = attempts().map(({ headers }) => String(headers['traceparent']).split('-'));
    expect(said).toHaveLength(24);
    for (const [, traceId = '', , flags] of said) expect(flags).toBe(byTrace.has(traceId) ? '01' : '00');
  });

  it('is not there with a share of 0', async () => {
    const event = pushOfApprover();
    const service = await start({ OTEL_TRACES_SAMPLER_ARG: '0' });
    await push(service, event);
    await stands(event, 'delivered', 1);
    await stop();
    expect(collector.received).toEqual([]);
  });

  it('is not there without a collector in the settings, and requests say that nobody records it', async () => {
    const event = pushOfApprover();
    const service = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: '' });
    await push(service, event);
    await stands(event, 'delivered', 1);
    await stop();
    expect(collector.received).toEqual([]);
    const said = target.received.map(({ headers }) => headers['traceparent']);
    expect(said.length).toBeGreaterThan(0);
    for (const one of said) expect(one).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });

  it('is lost when the collector refuses it, and that costs one line in the log', async () => {
    const refusing = await startCollector(400);
    const service = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: refusing.endpoint });
    for (let time = 0; time < 2; time += 1) {
      const event = pushOfApprover();
      expect(await push(service, event)).toBe(200);
      await stands(event, 'delivered', 1);
      const before = refusing.received.length;
      await until(() => refusing.received.length > before, 10_000);
    }
    await until(async () => {
      const text = await (await fetch(`${service.url}/metrics`)).text();
      return Number(/aftersign_trace_spans_total\{outcome="failed"\} (\d+)/.exec(text)?.[1] ?? 0) >= 4;
    });
    const { lines } = service.log;
    await stop();
    const told = lines.filter(({ fields }) => fields['event'] === 'tracing.not-exported');
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ level: 'warn', message: expect.stringContaining('traces are lost') });
    await refusing.close();
  });

  it('costs nothing but itself when the collector is down', async () => {
    const event = pushOfApprover();
    const service = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}` });
    expect(await push(service, event)).toBe(200);
    await stands(event, 'delivered', 1);
    await stop();
    expect(attempts()).toHaveLength(1);
  });
});
