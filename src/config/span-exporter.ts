import { Agent as PlainAgent } from 'node:http';
import { Agent } from 'node:https';
import { getCACertificates } from 'node:tls';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import { type Log, messageOf } from './log.js';
import type { Metrics } from './metrics.js';

/** Somebody is told that spans are lost, no more often than this. */
const TELL_MS = 60_000;
const CONCURRENT_EXPORTS = 4;

/** Sends spans to a collector. A collector that is down costs the spans, and one line in the log a minute. */
export function createSpanExporter(options: {
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly ca: string | undefined;
  readonly withinMs: number;
  readonly log: Log;
  readonly metrics: Metrics;
}): SpanExporter {
  const { endpoint, headers, ca, withinMs, log, metrics } = options;
  const inner = new OTLPTraceExporter({
    url: urlOf(endpoint),
    headers: { ...headers },
    timeoutMillis: withinMs,
    concurrencyLimit: CONCURRENT_EXPORTS,
    httpAgentOptions: (protocol) =>
      protocol === 'https:'
        ? new Agent({
            keepAlive: true,
            ...(ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] }),
          })
        : new PlainAgent({ keepAlive: true }),
  });
  let told = -Infinity;
  let lost = 0;
  return {
    export: (spans, answer) => {
      inner.export(spans, (result) => {
        const { code }: { readonly code: number } = result;
        const failed = code !== 0;
        metrics.traceSpans.inc({ outcome: failed ? 'failed' : 'exported' }, spans.length);
        if (failed) {
          lost += spans.length;
          if (performance.now() - told >= TELL_MS) {
            told = performance.now();
            log.warn(
              { event: 'tracing.not-exported', spans: lost },
              `traces are lost, the collector does not take them: ${messageOf(result.error ?? 'no reason given')}`,
            );
            lost = 0;
          }
        }
        answer(result);
      });
    },
    shutdown: () => inner.shutdown(),
    forceFlush: () => inner.forceFlush(),
  };
}

/** Where an OTLP endpoint takes traces (OpenTelemetry protocol exporter, "endpoint URLs for OTLP/HTTP"). */
function urlOf(endpoint: string): string {
  const url = new URL(endpoint);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/traces`;
  return url.href;
}
