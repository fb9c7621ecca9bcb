// A real OTLP/HTTP collector, with and without TLS; no service around.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Metrics } from '../../src/config/metrics.js';
import { OtlpTracing } from '../../src/config/otlp-tracing.js';
import { type Collector, startCollector } from '../support/collector.js';
import { TestLog } from '../support/log.js';

const ID = '019a4c1f-0000-7abc-8def-0123456789ab';
const CERTIFICATE = readFileSync('test/fixtures/tls/localhost.crt', 'utf8');

let collector: Collector;
beforeEach(async () => {
  collector = await startCollector();
});
afterEach(() => collector.close());

function tracingTo(endpoint: string, ca?: string): OtlpTracing {
  return new OtlpTracing({
    endpoint,
    headers: {},
    ca,
    service: 'aftersign-test',
    instance: 'i1',
    share: 1,
    log: new TestLog(),
    metrics: new Metrics(),
  });
}
const receipt = {
  id: ID,
  eventType: 'a.b',
  source: 'feishu-long-connection',
  path: null,
  traceparent: null,
  since: 1_800_000_000_123.5,
  until: 1_800_000_000_130,
};

describe('traces by OTLP', () => {
  it('say of an event over a long connection that it was consumed, and when', async () => {
    const tracing = tracingTo(collector.endpoint);
    tracing.received(receipt);
    await tracing.close();
    const [span] = collector.spans();
    expect(span).toMatchObject({
      name: 'event.receive',
      kind: 5,
      traceId: ID.replaceAll('-', ''),
      startTimeUnixNano: '1800000000123500000',
      endTimeUnixNano: '1800000000130000000',
      resource: { 'service.name': 'aftersign-test', 'service.instance.id': 'i1' },
    });
    expect(Object.keys(span?.attributes ?? {}).filter((name) => name.startsWith('http'))).toEqual([]);
  });

  it.each([
    ['nothing', '', 0],
    ['garbage', 'garbage', 0],
    ['a trace of zeros', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, 0],
    ['a span of zeros', `00-4bf92f3577b34da6a3ce929d0e0e4736-${'0'.repeat(16)}-01`, 0],
    ['upper case', '00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01', 0],
    ['version ff', 'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', 0],
    ['a later version', '01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more', 1],
    ['this version', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00', 1],
  ])('link to the trace of a sender only where there is one: %s', async (_, traceparent, links) => {
    const tracing = tracingTo(collector.endpoint);
    tracing.received({ ...receipt, traceparent });
    await tracing.close();
    expect(collector.spans().map((span) => span.links.length)).toEqual([links]);
  });

  it('name 50 rules and no more, and mark what failed', async () => {
    const tracing = tracingTo(collector.endpoint);
    const rules = Array.from({ length: 60 }, (_, n) => `rule-${n}`);
    const made = {
      id: ID,
      occasion: 'live',
      eventType: 'a.b',
      ruleSet: 'h',
      listening: 60,
      matched: rules,
      unknown: [],
      failed: ['broken'],
      deliveries: 0,
      quarantined: false,
      since: 1,
      until: 2,
    };
    tracing.decided(made);
    tracing.decided({ ...made, occasion: 'replay', failed: [], quarantined: true });
    await tracing.close();
    const [live, replay] = collector.spans();
    expect(live?.attributes['aftersign.rules.matched']).toHaveLength(50);
    expect([live?.status, replay?.status]).toEqual([
      { code: 2, message: 'rule_failed' },
      { code: 2, message: 'quarantined' },
    ]);
    expect(live?.startTimeUnixNano).toBe('1000000');
    // Another occasion is another decision of the same event.
    expect(live?.traceId).toBe(replay?.traceId);
    expect(live?.spanId).not.toBe(replay?.spanId);
  });

  it('have no request of their own outside of what is traced', () => {
    const tracing = tracingTo(collector.endpoint);
    expect(tracing.outgoing('GET', new URL('http://a.example/'))).toEqual({});
  });

  it.each([
    ['', '/v1/traces'],
    ['/', '/v1/traces'],
    ['/collect/', '/collect/v1/traces'],
  ])('go to %s/v1/traces', async (path, expected) => {
    const tracing = tracingTo(collector.url + path);
    tracing.received(receipt);
    await tracing.close();
    expect(collector.received.map((one) => one.path)).toEqual([expected]);
  });

  it('go by HTTPS to whom OUTBOUND_CA vouches for, and to nobody else', async () => {
    const paths: string[] = [];
    const server = createServer(
      { cert: CERTIFICATE, key: readFileSync('test/fixtures/tls/localhost.key') },
      (request, response) => {
        paths.push(request.url ?? '');
        response.end('{}');
      },
    );
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const endpoint = `https://localhost:${(server.address() as AddressInfo).port}`;
    for (const ca of [undefined, CERTIFICATE]) {
      const tracing = tracingTo(endpoint, ca);
      tracing.received(receipt);
      await tracing.close();
      expect(paths).toEqual(ca === undefined ? [] : ['/v1/traces']);
    }
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});
