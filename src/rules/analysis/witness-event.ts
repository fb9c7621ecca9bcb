import { isDeepStrictEqual } from 'node:util';
import type { Facts } from '../compiled-conditions.js';
import { envelopeNamesake, isEnvelopeFact } from '../../events/catalogue-schema.js';
import { factsOfBody } from '../../events/event-facts.js';
import type { Witness } from '../finding.js';
import { lookupPlaceOf } from '../lookup-name.js';
import type { RuleSet } from '../rule-set.js';
import { isStateFact } from '../state/fact-names.js';
import type { Model } from './answer.js';
import { isFirstVersion, USUAL_NOW } from './fact-space.js';

/**
 * The event of a model, in Feishu's envelope, and beside it what the event alone does not make: facts of the state, of
 * look-ups and of the clock, and what no sender could write into an envelope.
 */
export function witnessOf(
  model: Pick<Model, 'facts' | 'now'>,
  { catalogue }: Pick<RuleSet, 'catalogue' | 'fieldOf'>,
  eventType: string,
): Witness {
  const entry = catalogue.find(eventType);
  const fields = Object.fromEntries(
    [...model.facts]
      .filter(([fact]) => !isEnvelopeFact(fact) && !isStateFact(fact) && !lookupPlaceOf(fact))
      .map(([fact, value]) => [envelopeNamesake(fact) ?? fact, value]),
  );
  const event =
    entry && isFirstVersion(entry)
      ? firstVersion(model.facts, fields, eventType)
      : secondVersion(model.facts, fields, eventType);
  const made = factsOfBody(event, 'feishu-webhook');
  const facts = [...model.facts].filter(([fact, value]) => !isDeepStrictEqual(made.get(fact), value));
  const missing = [...made.keys()].filter((fact) => !model.facts.has(fact));
  return {
    event,
    ...(facts.length > 0 ? { facts: Object.fromEntries(facts) } : {}),
    ...(missing.length > 0 ? { missing } : {}),
    ...(model.now === USUAL_NOW ? {} : { now: new Date(model.now).toISOString() }),
  };
}

/** The facts that a witness stands for. */
export function factsOfWitness({ event, facts = {}, missing = [] }: Witness): Facts {
  const all = new Map(factsOfBody(event, 'feishu-webhook'));
  for (const [fact, value] of Object.entries(facts)) all.set(fact, value);
  for (const fact of missing) all.delete(fact);
  return all;
}

/** What `olderThan` and `newerThan` count from with a witness, in milliseconds since 1970. */
export function nowOfWitness({ now }: Witness): number {
  return now === undefined ? USUAL_NOW : Date.parse(now);
}

type Body = Readonly<Record<string, unknown>>;

function secondVersion(facts: Facts, fields: Body, eventType: string): Body {
  return {
    schema: '2.0',
    header: {
      event_id: eventIdOf(facts),
      event_type: eventType,
      create_time: digitsOf(facts.get('create_time')),
      token: '',
      app_id: facts.get('app_id') ?? null,
      tenant_key: facts.get('tenant_key') ?? null,
    },
    event: fields,
  };
}

/** Without a header: what it says stands in the event and beside it. */
function firstVersion(facts: Facts, fields: Body, eventType: string): Body {
  return {
    uuid: eventIdOf(facts),
    ts: digitsOf(facts.get('create_time')),
    token: '',
    type: 'event_callback',
    event: { ...fields, type: eventType },
  };
}

/** Another one when the model has none that a sender could write. */
function eventIdOf(facts: Facts): string {
  const id = facts.get('event_id');
  return typeof id === 'string' && /^[\w.:-]{1,128}$/.test(id) ? id : 'case-1';
}

/** As the platform writes times: 13 digits. */
function digitsOf(time: unknown): string {
  return typeof time === 'number' && time >= 0 ? String(time).padStart(13, '0') : '';
}
