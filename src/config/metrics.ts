import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { VERSION } from './version.js';

/** Seconds of one piece of work. */
const WORK = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30];
/** Seconds that something has waited: from at once to a day. */
const WAIT = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86_400];
const SIZES = [1, 2, 5, 10, 20, 50, 100, 200];

/** Begins the help of what every instance over one database shows alike. */
const SHARED = 'Of the database, alike in every instance (use max, not sum): ';

/**
 * What `GET /metrics` shows. One registry per service, so that several can run in one process.
 *
 * No label holds an id, a rule, a target or any text of an event: there may be ten thousand rules, and targets may come
 * from events. Who wants to know which rule or target it is asks the log, `aftersign explain` or the API.
 */
export class Metrics {
  readonly registry = new Registry();

  // From the outside to a stored event.
  readonly received = this.counter(
    'aftersign_events_received_total',
    'Events and other requests of senders, by the way they came in and the outcome.',
    ['source', 'outcome'],
  );
  readonly ackSeconds = this.histogram(
    'aftersign_event_ack_seconds',
    'From the request or the frame to the commit of its event.',
  );
  readonly commitSeconds = this.histogram(
    'aftersign_event_commit_seconds',
    'One commit of events, which many requests share.',
  );
  readonly commitEvents = this.histogram(
    'aftersign_event_commit_batch_events',
    'Events in one commit.',
    [],
    SIZES,
  );
  readonly commitBacklog = this.gauge(
    'aftersign_event_commit_backlog',
    'Events that wait for their commit in this instance; at 5000 no more are taken.',
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

  // From a stored event to its decision.
  readonly decided = this.counter(
    'aftersign_events_decided_total',
    'Events that were decided, or put aside for a person because they cannot be, by outcome.',
    ['outcome'],
  );
  readonly shadowDeliveries = this.counter(
    'aftersign_shadow_deliveries_total',
    'Deliveries that rules in shadow mode would make, by whether they were recorded or lost.',
    ['outcome'],
  );
  readonly verdicts = this.counter('aftersign_verdicts_total', 'Verdicts of rules, by verdict.', ['verdict']);
  readonly decisionSeconds = this.histogram(
    'aftersign_decision_batch_seconds',
    'One transaction of decisions.',
  );
  readonly decisionEvents = this.histogram(
    'aftersign_decision_batch_events',
    'Events in one transaction of decisions, those included that began to wait for a look-up.',
    [],
    SIZES,
  );
  readonly decisionAge = this.histogram(
    'aftersign_event_decision_age_seconds',
    'From the receipt of an event to its decision, its wait for look-ups included.',
    [],
    WAIT,
  );
  readonly undecided = this.gauge(
    'aftersign_events_undecided',
    `${SHARED}events that wait for their decision; 100000 stands for more too.`,
  );
  readonly undecidedAge = this.gauge(
    'aftersign_events_undecided_oldest_age_seconds',
    `${SHARED}how long the oldest undecided event has waited; 0: there is none.`,
  );
  readonly lookupsWaiting = this.gauge(
    'aftersign_events_waiting',
    `${SHARED}events that wait for a look-up, their own or that of an earlier event; 100000 stands for more too.`,
  );
  readonly lookupsWaitingAge = this.gauge(
    'aftersign_events_waiting_oldest_age_seconds',
    `${SHARED}how long the event has waited that has waited longest for a look-up; 0: there is none.`,
  );
  readonly quarantined = this.gauge(
    'aftersign_events_quarantined',
    `${SHARED}events put aside for a person; 100000 stands for more too.`,
  );
  readonly lookups = this.counter(
    'aftersign_lookups_total',
    'Look-ups for events, by kind and by what came of them: answer, cached, failed, later.',
    ['kind', 'outcome'],
  );
  readonly reconciled = this.counter(
    'aftersign_reconciled_events_total',
    'Events that were lost on their way and made up for by what the platform knows.',
  );
  readonly radarFindings = this.gauge(
    'aftersign_radar_findings',
    `${SHARED}findings of the radar that stand and that nobody has dismissed, by kind.`,
    ['kind'],
  );
  readonly lookupSeconds = this.histogram(
    'aftersign_lookup_seconds',
    'One request of a look-up, by kind; answers from the cache are not in it.',
    ['kind'],
  );
  readonly unsettled = this.gauge(
    'aftersign_unsettled_verdicts',
    `${SHARED}verdicts "unknown" by whether a later event may settle them (open) or they need a person (expired); 100000 stands for more too.`,
    ['state'],
  );
  readonly timers = this.gauge(
    'aftersign_timers',
    `${SHARED}escalations whose next step is to come (armed) or due (overdue); 100000 stands for more too.`,
    ['state'],
  );
  readonly timersOverdueAge = this.gauge(
    'aftersign_timers_overdue_oldest_age_seconds',
    `${SHARED}for how long the step of an escalation has been due that has been due longest; 0: there is none.`,
  );
  readonly timerSteps = this.counter(
    'aftersign_timer_steps_total',
    'Steps of escalations that were due, by outcome: sent, recorded in shadow mode, or cancelled with what was left of the ladder.',
    ['outcome'],
  );
  readonly timerLateness = this.histogram(
    'aftersign_timer_lateness_seconds',
    'How long after its due time a step of an escalation was decided.',
    [],
    WAIT,
  );
  readonly ruleSetInfo = this.gauge(
    'aftersign_rule_set_info',
    `${SHARED}1 for the hash of the rule set that is live; none when there is none.`,
    ['hash'],
  );
  readonly ruleSetActivated = this.gauge(
    'aftersign_rule_set_activated_timestamp_seconds',
    `${SHARED}when the live rule set was activated, in seconds since 1970.`,
  );
  readonly ruleSetRules = this.gauge(
    'aftersign_rule_set_rules',
    'Rules of the live rule set; only where the role evaluates rules.',
  );
  readonly calendarDaysLeft = this.gauge(
    'aftersign_calendar_days_left',
    'Days until the last one that a work calendar of the live rules knows, by calendar; negative: it has ended. Only where the role evaluates rules.',
    ['calendar'],
  );
  readonly ruleFindings = this.gauge(
    'aftersign_rule_findings',
    'What is wrong with the rule files on the disk of this instance, by severity.',
    ['severity'],
  );

  // From a decision to its effect.
  readonly deliveries = this.gauge(
    'aftersign_deliveries',
    `${SHARED}deliveries that are not done, by state; 100000 stands for more too.`,
    ['state'],
  );
  readonly targets = this.gauge(
    'aftersign_targets',
    `${SHARED}lanes of targets by their breaker: closed, open (not tried), half-open (tried with one delivery at a time); 100000 stands for more too.`,
    ['breaker'],
  );
  readonly deliveriesDue = this.gauge(
    'aftersign_deliveries_due',
    `${SHARED}pending deliveries whose time has come; 100000 stands for more too.`,
  );
  readonly deliveriesDueAge = this.gauge(
    'aftersign_deliveries_due_oldest_age_seconds',
    `${SHARED}for how long the delivery has been due that has been due longest; 0: there is none.`,
  );
  readonly lateness = this.histogram(
    'aftersign_delivery_lateness_seconds',
    'How late a delivery is at the moment of an attempt.',
    [],
    WAIT,
  );
  readonly attempts = this.counter(
    'aftersign_attempts_total',
    'Attempts of deliveries, by kind and outcome.',
    ['kind', 'outcome'],
  );
  readonly attemptSeconds = this.histogram(
    'aftersign_attempt_seconds',
    'One attempt of a delivery, by kind.',
    ['kind'],
  );
  readonly ended = this.counter(
    'aftersign_deliveries_ended_total',
    'Deliveries that an attempt has ended, by kind and state: delivered or dead.',
    ['kind', 'state'],
  );
  readonly endToEnd = this.histogram(
    'aftersign_delivery_end_to_end_seconds',
    'From the receipt of an event to the end of the attempt that delivered; what was redriven has its time as a dead delivery in it.',
    [],
    WAIT,
  );

  // What people look at.
  readonly indexLag = this.gauge(
    'aftersign_search_index_lag_seconds',
    `${SHARED}age of the oldest event that cannot be found by its values yet; 0: all can.`,
  );
  readonly requestSeconds = this.histogram(
    'aftersign_http_request_seconds',
    'Requests of people and programs (not of senders, and no streams), by method, route pattern and class of status.',
    ['method', 'route', 'status'],
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
  );

  // The process and what it stands on.
  readonly poolConnections = this.gauge(
    'aftersign_database_connections',
    'Connections of this instance for all but commits of events, by state: in use or idle.',
    ['state'],
  );
  readonly poolWaiting = this.gauge(
    'aftersign_database_connection_waiters',
    'Statements of this instance that wait for a connection.',
  );
  readonly scrapeErrors = this.counter(
    'aftersign_scrape_errors_total',
    'Times that the database did not say within 2 s what the gauges "of the database" show; they are left out then.',
  );
  readonly traceSpans = this.counter(
    'aftersign_trace_spans_total',
    'Spans by what became of them: exported, or failed and lost.',
    ['outcome'],
  );
  readonly buildInfo = this.gauge('aftersign_build_info', '1 for the versions of Aftersign and Node.', [
    'version',
    'node',
  ]);

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    this.buildInfo.set({ version: VERSION, node: process.versions.node }, 1);
    // A counter that begins with its first event hides it from increase().
    for (const outcome of ['decided', 'quarantined']) this.decided.inc({ outcome }, 0);
    for (const outcome of ['sent', 'cancelled']) this.timerSteps.inc({ outcome }, 0);
  }

  private counter<Label extends string = never>(
    name: string,
    help: string,
    labelNames: readonly Label[] = [],
  ): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  private gauge<Label extends string = never>(
    name: string,
    help: string,
    labelNames: readonly Label[] = [],
  ): Gauge<Label> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  private histogram<Label extends string = never>(
    name: string,
    help: string,
    labelNames: readonly Label[] = [],
    buckets: readonly number[] = WORK,
  ): Histogram<Label> {
    return new Histogram({ name, help, labelNames, registers: [this.registry], buckets: [...buckets] });
  }
}
