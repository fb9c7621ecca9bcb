import type { ConnectionStatus } from '../../ingestion/feishu-connection.js';
import type { KnownCalendars } from '../../rules/calendar-watch.js';
import type { Depths } from './depths.js';

/** Something that is not as it should be: a stable code (docs/errors.md), and a sentence without names or addresses. */
export interface HealthReason {
  readonly code: string;
  readonly detail: string;
}

/** What is known of this instance and of the database. */
export interface HealthFacts {
  readonly stopping: boolean;
  readonly database: { readonly ok: boolean; readonly ms: number };
  readonly backlogFull: boolean;
  readonly connections: readonly ConnectionStatus[];
  /** False: the events of some app have no way in. */
  readonly connectionsUsable: boolean;
  /** Null: not known now. */
  readonly depths: Depths | null;
  /** Undefined: this role evaluates no rules, or the database does not say. */
  readonly ruleSet: { readonly hash: string | null; readonly errors: number } | undefined;
  /** Of the live rule set; null: there is none, or it is not known here. */
  readonly calendars: KnownCalendars | null;
}

const SLOW_MS = 500;
const LATE_MS = 60_000;

/** Why no events are taken; empty: they are. */
export function reasonsOf(facts: HealthFacts): HealthReason[] {
  return [
    facts.stopping && { code: 'SERVICE_STOPPING', detail: 'The service is being stopped.' },
    !facts.database.ok && { code: 'DATABASE_DOWN', detail: 'The database does not answer.' },
    facts.backlogFull && {
      code: 'BACKLOG_FULL',
      detail: 'More events wait for their commit than are taken in.',
    },
    !facts.connectionsUsable && {
      code: 'CONNECTION_DOWN',
      detail: `${down(facts)}, and their apps have no other way in.`,
    },
  ].filter((reason) => reason !== false);
}

/** What a person has to look at though events are taken. */
export function warningsOf(facts: HealthFacts): HealthReason[] {
  const { database, depths, ruleSet, calendars, connections, connectionsUsable } = facts;
  // Of a database that is down nothing else can be said.
  if (!database.ok) return [];
  const noRules = ruleSet ? ruleSet.hash === null : depths !== null && depths.ruleSet === null;
  const errors = ruleSet?.errors ?? 0;
  return [
    (database.ms > SLOW_MS || depths === null) && {
      code: 'DATABASE_SLOW',
      detail: 'The database takes long to answer.',
    },
    noRules && {
      code: 'RULES_NONE',
      detail: 'No rule set is live: events are stored, and wait for their decision.',
    },
    errors > 0 && {
      code: 'RULES_BROKEN',
      detail: `The rule files on disk have ${errors} ${errors === 1 ? 'error' : 'errors'}; the rule set that was live stays live.`,
    },
    ...(calendars ? warningsOfCalendars(calendars) : []),
    late(depths?.undecidedAge, 'DECISIONS_LATE', (time) => `An event has waited ${time} for its decision.`),
    late(depths?.dueAge, 'DELIVERIES_LATE', (time) => `A delivery has been due for ${time}.`),
    (depths?.deliveries.held ?? 0) > 0 && {
      code: 'DELIVERIES_HELD',
      detail: `${amountOf(depths?.deliveries.held ?? 0, 'delivery', 'deliveries')} held by a brake, and wait for a person.`,
    },
    depths !== null &&
      depths.targets.open + depths.targets['half-open'] > 0 && {
        code: 'TARGET_DOWN',
        detail: `${amountOf(depths.targets.open + depths.targets['half-open'], 'target', 'targets')} failing: deliveries wait, and one at a time tries.`,
      },
    late(depths?.overdueAge, 'TIMERS_LATE', (time) => `A step of an escalation has been due for ${time}.`),
    late(
      depths?.indexLag,
      'INDEX_LATE',
      (time) => `Events cannot be found by their values yet, the oldest for ${time}.`,
    ),
    connectionsUsable &&
      connections.some(({ state }) => state !== 'connected') && {
        code: 'CONNECTION_DOWN',
        detail: `${down(facts)}; events come in by webhook alone.`,
      },
    depths?.passwordIsInitial === true && {
      code: 'PASSWORD_INITIAL',
      detail: 'The one-time password of the first user has not been changed yet.',
    },
  ].filter((warning) => warning !== false);
}

function warningsOfCalendars({ ends, missing }: KnownCalendars): HealthReason[] {
  return [
    ...(missing === null
      ? []
      : [
          {
            code: 'DEFAULT_CALENDAR_UNKNOWN',
            detail: `DEFAULT_CALENDAR is "${missing}", and there is no work calendar of that name.`,
          },
        ]),
    ...ends
      .filter(({ near }) => near)
      .map(({ name, until, daysLeft }) =>
        daysLeft < 0
          ? {
              code: 'CALENDAR_ENDED',
              detail: `The work calendar "${name}" was known until ${until}: only the days of the week count now.`,
            }
          : { code: 'CALENDAR_ENDING', detail: `The work calendar "${name}" is known until ${until} only.` },
      ),
  ];
}

function amountOf(count: number, one: string, many: string): string {
  return count === 1 ? `1 ${one} is` : `${count} ${many} are`;
}

function down({ connections }: HealthFacts): string {
  const lost = connections.filter(({ state }) => state !== 'connected').length;
  return `${lost} of ${connections.length} long connections ${lost === 1 ? 'is' : 'are'} not there`;
}

function late(age: number | undefined, code: string, tell: (time: string) => string): HealthReason | false {
  if (age === undefined || age <= LATE_MS) return false;
  const minutes = Math.floor(age / 60_000);
  return { code, detail: tell(minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`) };
}
