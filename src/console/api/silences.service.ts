import { getLocation } from 'jsonc-parser';
import type { DataSource } from 'typeorm';
import type { Actor } from '../../config/access.js';
import type { Clock } from '../../config/clock.js';
import { parseDuration } from '../../config/duration.js';
import { Refusal } from '../../config/problem.js';
import { matchesPattern } from '../../events/catalogue.js';
import type { LiveCatalogue } from '../../events/live-catalogue.js';
import { checkSilenceConditions } from '../../rules/check/silence-conditions.js';
import type { ConditionDocument } from '../../rules/condition-document.js';
import type { RuleSetStore } from '../../rules/rule-set-store.js';
import type { SilenceMatcher } from '../../rules/silence.js';
import {
  MOST_SILENCES,
  SILENCE_NOTICE_MS,
  type SilenceStore,
  type StoredSilence,
} from '../../rules/silence-store.js';
import type { AuditLog } from '../access/audit-log.js';
import type { ActBody } from './deliveries.schema.js';
import { isUuid, type Page, pageOf, readCursor } from './page.js';
import { maskSilence, readsPersonal } from './personal.js';
import type { AddedSilence, NewSilence, Silence, SilenceQuery } from './silences.schema.js';

const DAY = 86_400_000;
/** What nobody looks at for longer than this should stand in the rules. */
const LONGEST_MS = 366 * DAY;

/** What people have silenced, and until when. */
export class SilencesService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly silences: SilenceStore,
    private readonly parts: {
      readonly ruleSets: RuleSetStore;
      readonly catalogue: LiveCatalogue;
      readonly audit: AuditLog;
      readonly clock: Clock;
    },
  ) {}

  /** The newest first. */
  async list(actor: Actor, { limit, cursor, state }: SilenceQuery): Promise<Page<Silence>> {
    const now = this.parts.clock.now();
    const rows = await this.silences.list({ state }, { limit, after: readCursor(cursor) }, now);
    return pageOf(
      rows.map((row) => this.shown(actor, row, now)),
      limit,
    );
  }

  /** @throws Refusal 400 REQUEST_INVALID, 409 SILENCES_FULL */
  async add(actor: Actor, { matcher: given, reason, ...times }: NewSilence): Promise<AddedSilence> {
    const { audit, clock } = this.parts;
    const now = clock.now();
    const { startsAt, endsAt } = periodOf(times, now);
    const { matcher, warnings } = this.checked(given);
    const added = await this.dataSource.transaction(async (tx) => {
      const one = await this.silences.add(tx, { matcher, startsAt, endsAt, author: actor.name, reason }, now);
      if (!one)
        throw new Refusal(
          409,
          'SILENCES_FULL',
          `${MOST_SILENCES} silences are in force or to come: end some that are not needed.`,
        );
      await audit.record(tx, actor, {
        action: 'silence.add',
        subject: `silence:${one.id}`,
        detail: { ...auditedMatcher(matcher), ...isoTimes({ startsAt, endsAt }), reason },
      });
      return one;
    });
    return {
      ...this.shown(actor, added, now),
      warnings: [...warnings, ...(await this.unknownNames(matcher))],
    };
  }

  /** @throws Refusal 404 SILENCE_UNKNOWN, 409 SILENCE_ENDED */
  async end(actor: Actor, id: string, { reason }: ActBody): Promise<Silence> {
    if (!isUuid(id)) throw unknown(id);
    const { audit, clock } = this.parts;
    const now = clock.now();
    return await this.dataSource.transaction(async (tx) => {
      const found = await this.silences.end(tx, id, actor.name, now);
      if (!found) throw unknown(id);
      const { ended, silence } = found;
      if (!ended)
        throw new Refusal(
          409,
          'SILENCE_ENDED',
          `The silence ${id} has ended at ${new Date(silence.endsAt).toISOString()}.`,
        );
      await audit.record(tx, actor, {
        action: 'silence.end',
        subject: `silence:${id}`,
        ...(reason === undefined ? {} : { detail: { reason } }),
      });
      return this.shown(actor, silence, now);
    });
  }

  private checked({ conditions: given, ...names }: NewSilence['matcher']): {
    readonly matcher: SilenceMatcher;
    readonly warnings: readonly string[];
  } {
    const parts = Object.fromEntries(Object.entries(names).filter(([, part]) => part !== undefined));
    if (given === undefined) return { matcher: parts, warnings: [] };
    const text = JSON.stringify(given);
    const { conditions, findings } = checkSilenceConditions(text, this.parts.catalogue.current, '');
    if (conditions) {
      const warnings = findings.map(({ message, mend }) => `${message}. ${mend}`);
      return { matcher: { ...parts, conditions }, warnings };
    }
    throw new Refusal(400, 'REQUEST_INVALID', 'The request does not fit: see "errors".', {
      errors: findings.slice(0, ERRORS_SHOWN).map(({ column, message, mend }) => ({
        // The text has one line.
        path: ['matcher', 'conditions', ...getLocation(text, column - 1).path].join('.'),
        message: `${message}. ${mend}`,
      })),
    });
  }

  /** A slip of the pen silences nothing, and nobody notices until it is too late. */
  private async unknownNames({ rule, action, owner }: SilenceMatcher): Promise<string[]> {
    const live = await this.parts.ruleSets.current().catch(() => null);
    if (!live) return [];
    const named =
      rule === undefined ? live.rules : live.rules.filter(({ name }) => matchesPattern(rule, name));
    if (rule !== undefined && named.length === 0)
      return [`No rule of the live rule set is called "${rule}".`];
    const owned = owner === undefined ? named : named.filter((one) => one.owner === owner);
    if (owner !== undefined && owned.length === 0) return [`None of these rules has the owner "${owner}".`];
    const actions = owned.flatMap((one) => [
      ...one.actions,
      ...(one.escalation?.steps.flatMap((step) => step.actions) ?? []),
    ]);
    return action === undefined || actions.some(({ name }) => name === action)
      ? []
      : [`None of these rules has an action called "${action}".`];
  }

  private shown(actor: Actor, row: StoredSilence, now: number): Silence {
    const silence = silenceOf(row, now);
    return readsPersonal(actor) ? silence : maskSilence(silence, this.parts.catalogue.current);
  }
}

const ERRORS_SHOWN = 20;

function periodOf(
  times: Pick<NewSilence, 'startsAt' | 'endsAt' | 'for'>,
  now: number,
): { readonly startsAt: number; readonly endsAt: number } {
  const startsAt = Math.max(now, times.startsAt === undefined ? now : Date.parse(times.startsAt));
  const endsAt =
    times.endsAt === undefined ? startsAt + (parseDuration(times.for ?? '') ?? 0) : Date.parse(times.endsAt);
  const wrong =
    endsAt <= startsAt
      ? 'must be later than now, and than the beginning'
      : endsAt - now > LONGEST_MS
        ? `must be at most ${LONGEST_MS / DAY} days from now: what is silent for longer should be changed in the rules`
        : null;
  if (wrong === null) return { startsAt, endsAt };
  throw new Refusal(400, 'REQUEST_INVALID', 'The request does not fit: see "errors".', {
    errors: [{ path: times.endsAt === undefined ? 'for' : 'endsAt', message: wrong }],
  });
}

/** What conditions compare with may be personal: the facts that they read are named. */
function auditedMatcher({ conditions, ...names }: SilenceMatcher): Record<string, unknown> {
  return conditions === undefined ? names : { ...names, facts: [...new Set(factsOf(conditions))] };
}

function factsOf(document: ConditionDocument): string[] {
  if ('all' in document) return document.all.flatMap(factsOf);
  if ('any' in document) return document.any.flatMap(factsOf);
  if ('not' in document) return factsOf(document.not);
  return 'fact' in document ? [document.fact] : [];
}

function isoTimes(times: Readonly<Record<string, number>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(times).map(([name, time]) => [name, new Date(time).toISOString()]),
  );
}

function silenceOf(row: StoredSilence, now: number): Silence {
  const { id, state, matcher, startsAt, endsAt, author, reason, createdAt, endedBy } = row;
  const { conditions, ...names } = matcher;
  return {
    id,
    state,
    matcher: conditions === undefined ? names : { ...names, conditions: { ...conditions } },
    startsAt: new Date(startsAt).toISOString(),
    endsAt: new Date(endsAt).toISOString(),
    author,
    reason,
    createdAt: new Date(createdAt).toISOString(),
    endedBy,
    endsSoon: state === 'active' && endsAt - now <= SILENCE_NOTICE_MS,
    masked: false,
  };
}

function unknown(id: string): Refusal {
  return new Refusal(404, 'SILENCE_UNKNOWN', `There is no silence "${id.slice(0, 100)}".`);
}
