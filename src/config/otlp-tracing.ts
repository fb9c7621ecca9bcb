import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import {
  type Attributes,
  isSpanContextValid,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  type IdGenerator,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Log } from './log.js';
import type { Metrics } from './metrics.js';
import { createSpanExporter } from './span-exporter.js';
import {
  type AttemptBegun,
  attemptIdOf,
  type DecisionMade,
  type LookupBegun,
  type OpenSpan,
  type Receipt,
  type SpanEnd,
  spanIdOf,
  traceIdOf,
  Tracing,
} from './tracing.js';
import { VERSION } from './version.js';

export interface OtlpTracingOptions {
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  /** PEM certificates trusted besides the usual ones. */
  readonly ca: string | undefined;
  readonly service: string;
  readonly instance: string;
  /** Of the events that are traced, 0 to 1. */
  readonly share: number;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Spans that wait for the collector; more are lost. */
const QUEUE = 4096;
const BATCH = 512;
const EVERY_MS = 2000;
const EXPORT_WITHIN_MS = 3000;
const CLOSE_WITHIN_MS = 2000;
/** Of rules that a span names. */
const NAMED = 50;
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;

/** Sends traces by OTLP over HTTP. Nothing that is traced ever waits for it. */
export class OtlpTracing extends Tracing {
  readonly isOn = true;
  private readonly ids = new ChosenIds();
  private readonly current = new AsyncLocalStorage<Span>();
  private readonly provider: TracerProvider;
  private readonly tracer: Tracer;

  constructor({ endpoint, headers, ca, service, instance, share, log, metrics }: OtlpTracingOptions) {
    super();
    const exporter = createSpanExporter({ endpoint, headers, ca, withinMs: EXPORT_WITHIN_MS, log, metrics });
    this.provider = new TracerProvider({
      idGenerator: this.ids,
      // By the trace id alone, so that every process answers alike.
      sampler: new TraceIdRatioBasedSampler(share),
      spanLimits: { attributeValueLengthLimit: 256 },
      resource: defaultResource().merge(
        resourceFromAttributes({
          'service.name': service,
          'service.version': VERSION,
          'service.instance.id': instance,
        }),
      ),
      spanProcessors: [
        new BatchSpanProcessor({
          exporter,
          maxQueueSize: QUEUE,
          maxExportBatchSize: BATCH,
          scheduledDelayMillis: EVERY_MS,
          exportTimeoutMillis: 2 * EXPORT_WITHIN_MS,
        }),
      ],
    });
    this.tracer = this.provider.getTracer('aftersign', VERSION);
  }

  received({ id, eventType, source, path, traceparent, since, until }: Receipt): void {
    const span = this.start('event.receive', id, receiptIdOf(id), null, since, {
      kind: path === null ? SpanKind.CONSUMER : SpanKind.SERVER,
      links: linksOf(traceparent),
      attributes: {
        'aftersign.event.id': id,
        'aftersign.event.type': eventType,
        'aftersign.event.source': source,
        ...(path === null
          ? {}
          : { 'http.request.method': 'POST', 'http.route': path, 'http.response.status_code': 200 }),
      },
    });
    span.end(timeOf(until));
  }

  decided(made: DecisionMade): void {
    const { id, occasion, since, until, failed, quarantined } = made;
    const span = this.start('event.decide', id, decisionIdOf(id, occasion), receiptIdOf(id), since, {
      kind: SpanKind.INTERNAL,
      attributes: {
        'aftersign.event.id': id,
        'aftersign.event.type': made.eventType,
        'aftersign.occasion': occasion,
        'aftersign.rule_set': made.ruleSet,
        'aftersign.rules.listening': made.listening,
        'aftersign.rules.matched': made.matched.slice(0, NAMED),
        'aftersign.rules.unknown': made.unknown.slice(0, NAMED),
        'aftersign.rules.failed': failed.slice(0, NAMED),
        'aftersign.deliveries': made.deliveries,
      },
    });
    const error = quarantined ? 'quarantined' : failed.length > 0 ? 'rule_failed' : null;
    if (error !== null) fail(span, error);
    span.end(timeOf(until));
  }

  beginLookup({ id, name, kind, since }: LookupBegun): OpenSpan {
    return this.open(
      this.start('lookup.fetch', id, randomBytes(8).toString('hex'), receiptIdOf(id), since, {
        kind: SpanKind.CLIENT,
        attributes: {
          'aftersign.event.id': id,
          'aftersign.lookup.name': name,
          'aftersign.lookup.kind': kind,
        },
      }),
      'lookup',
      true,
    );
  }

  beginAttempt({ id, occasion, delivery, attempt, kind, rule, action, since }: AttemptBegun): OpenSpan {
    const spanId = attemptIdOf(delivery, attempt);
    return this.open(
      this.start('delivery.attempt', id, spanId, decisionIdOf(id, occasion), since, {
        kind: SpanKind.CLIENT,
        attributes: {
          'aftersign.event.id': id,
          'aftersign.occasion': occasion,
          'aftersign.delivery.id': delivery,
          'aftersign.delivery.attempt': attempt,
          'aftersign.delivery.kind': kind,
          'aftersign.rule': rule,
          'aftersign.action': action,
        },
      }),
      'delivery',
      kind !== 'email',
    );
  }

  outgoing(method: string, { hostname, port, protocol }: URL): Readonly<Record<string, string>> {
    const span = this.current.getStore();
    if (!span) return {};
    // Neither path nor query: they may hold what came from an event, or a secret.
    span.setAttributes({
      'http.request.method': method,
      'server.address': hostname.replace(/^\[|\]$/g, ''),
      'server.port': port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
    });
    const { traceId, spanId, traceFlags } = span.spanContext();
    return { traceparent: `00-${traceId}-${spanId}-0${traceFlags & TraceFlags.SAMPLED}` };
  }

  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_WITHIN_MS);
    });
    // That spans are lost has been told already.
    await Promise.race([this.provider.shutdown().catch(() => undefined), late]);
    clearTimeout(timer);
  }

  private start(
    name: string,
    eventId: string,
    spanId: string,
    parentId: string | null,
    since: number,
    options: { readonly kind: SpanKind; readonly attributes: Attributes; readonly links?: Link[] },
  ): Span {
    const traceId = traceIdOf(eventId);
    this.ids.choose(traceId, spanId);
    const parent =
      parentId === null
        ? ROOT_CONTEXT
        : trace.setSpanContext(ROOT_CONTEXT, {
            traceId,
            spanId: parentId,
            traceFlags: TraceFlags.SAMPLED,
            isRemote: true,
          });
    return this.tracer.startSpan(name, { ...options, startTime: timeOf(since) }, parent);
  }

  private open(span: Span, what: string, isHttp: boolean): OpenSpan {
    return {
      run: (work) => this.current.run(span, work),
      end: ({ until, outcome, code, status }: SpanEnd) => {
        span.setAttribute(`aftersign.${what}.outcome`, outcome);
        if (status !== null)
          span.setAttribute(isHttp ? 'http.response.status_code' : `aftersign.${what}.status`, status);
        if (code !== null) {
          span.setAttribute(`aftersign.${what}.code`, code);
          fail(span, code);
        }
        span.end(timeOf(until));
      },
    };
  }
}

/** Gives out the ids that were chosen for the next span. */
class ChosenIds implements IdGenerator {
  private traceId = '';
  private spanId = '';

  choose(traceId: string, spanId: string): void {
    this.traceId = traceId;
    this.spanId = spanId;
  }

  generateTraceId(): string {
    return this.traceId;
  }

  generateSpanId(): string {
    return this.spanId;
  }
}

const receiptIdOf = (id: string): string => spanIdOf('receipt', id);
const decisionIdOf = (id: string, occasion: string): string => spanIdOf('decision', id, occasion);

/** Seconds and nanoseconds: the SDK takes a small number for a time since the start of the process. */
function timeOf(ms: number): [number, number] {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1_000_000)];
}

/** What the error says is left out: it may hold what came from an event. */
function fail(span: Span, code: string): void {
  span.setAttribute('error.type', code);
  span.setStatus({ code: SpanStatusCode.ERROR, message: code });
}

function linksOf(traceparent: string | null): Link[] {
  const [, traceId = '', spanId = '', flags = '00'] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
  return isSpanContextValid(context) ? [{ context }] : [];
}
