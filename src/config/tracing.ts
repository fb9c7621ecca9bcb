import { AsyncLocalStorage } from 'node:async_hooks';
import { hash } from 'node:crypto';
import type { Settings } from './config.js';
import type { Log } from './log.js';
import type { Metrics } from './metrics.js';

/** An event that has just been stored. */
export interface Receipt {
  /** Ours. */
  readonly id: string;
  readonly eventType: string;
  /** The way it came in. */
  readonly source: string;
  /** Of the request; null: it came over a long connection. */
  readonly path: string | null;
  /** As the sender's request had it, unchecked. */
  readonly traceparent: string | null;
  /** Clock times in ms: of the request, and of the commit. */
  readonly since: number;
  readonly until: number;
}

/** An event that has just been decided, or put aside for a person. */
export interface DecisionMade {
  /** Of the event; ours. */
  readonly id: string;
  readonly occasion: string;
  readonly eventType: string;
  readonly ruleSet: string;
  /** How many rules heard of it. */
  readonly listening: number;
  readonly matched: readonly string[];
  readonly unknown: readonly string[];
  readonly failed: readonly string[];
  readonly deliveries: number;
  readonly quarantined: boolean;
  readonly since: number;
  readonly until: number;
}

/** A request of a look-up that begins. */
export interface LookupBegun {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly since: number;
}

/** An attempt of a delivery that begins. */
export interface AttemptBegun {
  /** Of the event that the delivery is of, and of its decision. */
  readonly id: string;
  readonly occasion: string;
  readonly delivery: string;
  readonly attempt: number;
  readonly kind: string;
  readonly rule: string;
  readonly action: string;
  readonly since: number;
}

/** How something ended that was traced. */
export interface SpanEnd {
  readonly until: number;
  readonly outcome: string;
  /** A stable code; null: all went well. */
  readonly code: string | null;
  /** The HTTP status or the SMTP reply, when there was one. */
  readonly status: number | null;
}

/** Something under way. What is never ended leaves no trace. */
export interface OpenSpan {
  /** Requests that go out meanwhile belong to it. */
  run<T>(work: () => Promise<T>): Promise<T>;
  end(end: SpanEnd): void;
}

/**
 * One trace for each event, from its receipt to the last attempt of the last delivery. The trace is named by the event's
 * own id, and so are its receipt and its decision: whoever goes on with the event, another instance or the same one
 * after a crash, goes on with the trace, and nothing is stored for it.
 */
export abstract class Tracing {
  /** False: nothing is traced, and what is only needed for that can be left out. */
  abstract readonly isOn: boolean;
  abstract received(receipt: Receipt): void;
  abstract decided(decision: DecisionMade): void;
  abstract beginLookup(lookup: LookupBegun): OpenSpan;
  abstract beginAttempt(attempt: AttemptBegun): OpenSpan;
  /** Tells what is under way that a request goes out for it; answers the headers that the request takes along. */
  abstract outgoing(method: string, url: URL): Readonly<Record<string, string>>;
  /** Sends what is gathered, within 2 s; after that nothing is traced any more. */
  abstract close(): Promise<void>;
}

const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/;

/** The name of the trace of an event, by the event's own id. */
export const traceIdOf = (eventId: string): string => eventId.replaceAll('-', '');

/** A span id that any process finds by itself. */
export function spanIdOf(...parts: readonly string[]): string {
  return hash('sha256', parts.join('\n')).slice(0, 16);
}

/** The span of an attempt. */
export const attemptIdOf = (delivery: string, attempt: number): string =>
  spanIdOf('attempt', delivery, String(attempt));

/** Keeps no traces. Requests still carry the name of theirs, as one that nobody records, for the targets' own logs. */
class NoTracing extends Tracing {
  readonly isOn = false;
  private readonly current = new AsyncLocalStorage<{ readonly id: string; readonly spanId: string }>();

  received(): void {
    // Nobody looks.
  }

  decided(): void {
    // Nobody looks.
  }

  beginLookup({ id, name }: LookupBegun): OpenSpan {
    return this.open(id, spanIdOf('lookup', id, name));
  }

  beginAttempt({ id, delivery, attempt }: AttemptBegun): OpenSpan {
    return this.open(id, attemptIdOf(delivery, attempt));
  }

  outgoing(): Readonly<Record<string, string>> {
    const span = this.current.getStore();
    const traceId = span === undefined ? '' : traceIdOf(span.id);
    return span !== undefined && TRACE_ID.test(traceId)
      ? { traceparent: `00-${traceId}-${span.spanId}-00` }
      : {};
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private open(id: string, spanId: string): OpenSpan {
    return {
      run: (work) => this.current.run({ id, spanId }, work),
      end: () => undefined,
    };
  }
}

export const NO_TRACING: Tracing = new NoTracing();

/** As the settings want it. What sends traces is loaded only for those who have named a place for them. */
export async function openTracing(
  settings: Pick<
    Settings,
    | 'OTEL_EXPORTER_OTLP_ENDPOINT'
    | 'OTEL_EXPORTER_OTLP_HEADERS'
    | 'OTEL_SERVICE_NAME'
    | 'OTEL_TRACES_SAMPLER_ARG'
    | 'OUTBOUND_CA'
  >,
  instance: string,
  log: Log,
  metrics: Metrics,
): Promise<Tracing> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } = settings;
  if (endpoint === undefined) return NO_TRACING;
  const { OtlpTracing } = await import('./otlp-tracing.js');
  return new OtlpTracing({
    endpoint,
    headers: settings.OTEL_EXPORTER_OTLP_HEADERS,
    ca: settings.OUTBOUND_CA,
    service: settings.OTEL_SERVICE_NAME,
    instance,
    share: settings.OTEL_TRACES_SAMPLER_ARG,
    log,
    metrics,
  });
}
