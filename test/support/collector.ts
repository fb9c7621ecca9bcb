import type { ServerResponse } from 'node:http';
import { type Receiver, startReceiver } from './receiver.js';

/** A span as OTLP/HTTP carries it in JSON, its attributes and resource as plain objects. */
export interface CollectedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number; readonly message?: string };
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
}

interface AnyValue {
  readonly stringValue?: string;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
  readonly arrayValue?: { readonly values?: readonly AnyValue[] };
}
type KeyValues = readonly { readonly key: string; readonly value: AnyValue }[];
interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: KeyValues };
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<CollectedSpan, 'attributes' | 'resource' | 'links'> & {
        readonly attributes?: KeyValues;
        readonly links?: CollectedSpan['links'];
      })[];
    }[];
  }[];
}

/** A real OTLP/HTTP receiver of traces. */
export interface Collector extends Receiver {
  readonly endpoint: string;
  spans(): CollectedSpan[];
}

export async function startCollector(status = 200): Promise<Collector> {
  const receiver = await startReceiver((_, response: ServerResponse) => {
    response.statusCode = status;
    response.setHeader('content-type', 'application/json');
    response.end('{}');
  });
  return {
    ...receiver,
    endpoint: `${receiver.url}/otlp/`,
    spans: () => receiver.received.flatMap(({ body }) => spansOf(JSON.parse(body) as Export)),
  };
}

function spansOf({ resourceSpans }: Export): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ attributes = [], links = [], ...span }) => ({
        ...span,
        links,
        attributes: objectOf(attributes),
        resource: objectOf(resource.attributes),
      })),
    ),
  );
}

function objectOf(pairs: KeyValues): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, plain(value)]));
}

function plain(value: AnyValue): unknown {
  if (value.arrayValue) return (value.arrayValue.values ?? []).map(plain);
  if (value.intValue !== undefined) return Number(value.intValue);
  return value.stringValue ?? value.doubleValue ?? value.boolValue;
}
