import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What `GET /metrics` shows. One registry per service, so that several can run in one process. */
export class Metrics {
  readonly registry = new Registry();
  readonly received = this.counter(
    'aftersign_events_received_total',
    'Events and other requests of senders, by the way they came in and the outcome.',
    ['source', 'outcome'],
  );
  readonly ackSeconds = this.histogram(
    'aftersign_event_ack_seconds',
    'From the request or the frame to the commit of its event.',
  );
  readonly connected = this.gauge(
    'aftersign_feishu_connected',
    'Whether the long connection of an app is there: 1 or 0.',
    ['app'],
  );
  readonly reconnects = this.counter(
    'aftersign_feishu_reconnects_total',
    'Times that the long connection of an app was lost and made again.',
    ['app'],
  );
  readonly verdicts = this.counter('aftersign_verdicts_total', 'Verdicts of rules, by verdict.', ['verdict']);
  readonly decisionSeconds = this.histogram(
    'aftersign_decision_batch_seconds',
    'One transaction of decisions.',
  );
  readonly attempts = this.counter(
    'aftersign_attempts_total',
    'Attempts of deliveries, by kind and outcome.',
    ['kind', 'outcome'],
  );
  readonly attemptSeconds = this.histogram('aftersign_attempt_seconds', 'One attempt of a delivery.');
  readonly lookups = this.counter(
    'aftersign_lookups_total',
    'Look-ups for events, by kind and by what came of them: answer, cached, failed, later.',
    ['kind', 'outcome'],
  );
  readonly lookupsWaiting = this.gauge(
    'aftersign_events_waiting',
    'Events that wait for a look-up, their own or that of an earlier event.',
    [],
  );

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  private counter<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
  ): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  private gauge<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
  ): Gauge<Label> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  private histogram(name: string, help: string): Histogram {
    return new Histogram({
      name,
      help,
      registers: [this.registry],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30],
    });
  }
}
