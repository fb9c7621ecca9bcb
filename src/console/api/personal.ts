import type { Actor } from '../../config/access.js';
import { mayAct } from '../../config/access.js';
import { type Catalogue, entityFields, type FieldDefinition } from '../../events/catalogue.js';
import { isObject } from '../../events/own-member.js';
import type { Suppression } from '../../rules/evaluation-store.js';
import type { ExplainedChange, ExplainedLookup, RuleExplanation } from '../../rules/explain.js';
import type { ExplainedLeaf, ExplainedNode } from '../../rules/explained-tree.js';
import { fieldWithin } from '../../rules/known-field.js';
import { referenceIn } from '../../rules/condition-document.js';
import { lookupPlaceOf } from '../../rules/lookup-name.js';
import { parsePath } from '../../rules/plain-path.js';
import { fieldOfFact } from '../../rules/state/fact-fields.js';
import type { Attempt, Delivery, DeliveryDetail } from './deliveries.schema.js';
import type { Event, EventDetail, Fact } from './events.schema.js';
import type { ExplainedEvaluation } from './explanations.schema.js';
import type { Silence } from './silences.schema.js';
import type { Target } from './targets.schema.js';
import type { Timer } from './timers.schema.js';

/** What stands where a viewer may not read. */
export const MASK = '•••';

/** Who may read personal values: whoever may act. */
export function readsPersonal(actor: Actor): boolean {
  return mayAct(actor, 'operator');
}

/** A value without what its field, or a field within it, keeps from viewers. */
export function maskValue(value: unknown, field: FieldDefinition | null): unknown {
  if (value === null || value === undefined || field === null) return value;
  if (field.personal === true) return MASK;
  if (Array.isArray(value)) {
    const { items } = field;
    return items ? value.map((one) => maskValue(one, items)) : value;
  }
  const { fields } = field;
  if (!fields || !isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name,
      maskValue(one, Object.hasOwn(fields, name) ? (fields[name] ?? null) : null),
    ]),
  );
}

/** Whether the field or one within it is kept from viewers. */
export function isPersonal(field: FieldDefinition | null): boolean {
  if (field === null) return false;
  return (
    field.personal === true ||
    isPersonal(field.items ?? null) ||
    Object.values(field.fields ?? {}).some((one) => isPersonal(one))
  );
}

export function maskFact(fact: Fact, field: FieldDefinition | null): Fact {
  if (!fact.personal) return fact;
  return { ...fact, value: maskValue(fact.value, field), valueLabel: null };
}

/**
 * Reasons that hold nothing of an event: those that this service writes itself. All others may repeat what stands in
 * the event or in a look-up's address; of these the code is left.
 */
const OWN_REASON = /^(?:CRASHES: the process ended \d+ times|stored by an import with --only-store)/;

export function maskReason(reason: string | null): string | null {
  if (reason === null || OWN_REASON.test(reason)) return reason;
  const code = /^[A-Z][A-Z_]{2,40}: /.exec(reason)?.[0] ?? '';
  return `${code}${MASK}`;
}

/** `email:•••`: mailboxes and users are people; hosts, bots and groups are not. */
export function maskTarget(target: string): string {
  const person = /^(?:email:|feishu-message:(?:open_id|user_id|union_id|email):)/.exec(target)?.[0];
  return person === undefined ? target : person + MASK;
}

/** `employee:•••` when the catalogue keeps the ids of that kind from viewers. */
export function maskEntity(entity: string, catalogue: Catalogue): string {
  const kind = entity.slice(0, entity.indexOf(':'));
  const isOfPerson = catalogue.entries.some((entry) =>
    entityFields(entry, kind).some(
      (name) => Object.hasOwn(entry.fields, name) && isPersonal(entry.fields[name] ?? null),
    ),
  );
  return isOfPerson ? `${kind}:${MASK}` : entity;
}

export function maskEvent<T extends Pick<Event, 'rootEntity' | 'reason'>>(event: T, catalogue: Catalogue): T {
  const { rootEntity, reason } = event;
  return {
    ...event,
    rootEntity: rootEntity === null ? null : maskEntity(rootEntity, catalogue),
    reason: maskReason(reason),
  };
}

/** `facts` are masked already: that needs the catalogue's fields. */
export function maskEventDetail(event: EventDetail, catalogue: Catalogue): EventDetail {
  return {
    ...maskEvent(event, catalogue),
    body: null,
    raw: null,
    verdicts: event.verdicts.map((one) => (one.error === undefined ? one : { ...one, error: MASK })),
    suppressions: event.suppressions.map((one) => maskSuppression(one, event.rootEntity, catalogue)),
    deliveries: event.deliveries.map((one) => maskDelivery(one, catalogue)),
    masked: true,
  };
}

/** Keys of throttles and digests are facts, whatever these hold. */
function maskSuppression<T extends Suppression>(
  suppression: T,
  entity: string | null,
  catalogue: Catalogue,
): T {
  const { cause, by } = suppression;
  switch (cause) {
    case 'shadow':
    case 'silence':
    case 'quiet-hours':
    case 'already-sent':
      return suppression;
    // Of a fault as of a verdict; names of facts tell nothing of anybody.
    case 'when':
      return by?.startsWith('error: ') ? { ...suppression, by: MASK } : suppression;
    case 'once-per':
      return by === undefined
        ? suppression
        : { ...suppression, by: maskSubject(by, entity ?? '', catalogue) };
    case 'throttle':
    case 'digest':
      return by === undefined ? suppression : { ...suppression, by: maskText(by) };
  }
}

export function maskDelivery<T extends Delivery>(delivery: T, catalogue: Catalogue): T {
  const { target, entity, reason } = delivery;
  return {
    ...delivery,
    target: maskTarget(target),
    entity: maskEntity(entity, catalogue),
    reason: reason === null ? null : MASK,
  };
}

export function maskDeliveryDetail(delivery: DeliveryDetail, catalogue: Catalogue): DeliveryDetail {
  return {
    ...maskDelivery(delivery, catalogue),
    request: null,
    attempts: delivery.attempts.map(maskAttempt),
    masked: true,
  };
}

function maskAttempt(attempt: Attempt): Attempt {
  return { ...attempt, detail: maskText(attempt.detail), answer: maskText(attempt.answer) };
}

const maskText = (text: string): string => (text === '' ? '' : MASK);

export function maskTimer(timer: Timer, catalogue: Catalogue): Timer {
  const { entity, subject, holders, reason } = timer;
  return {
    ...timer,
    entity: maskEntity(entity, catalogue),
    subject: maskSubject(subject, entity, catalogue),
    holders: holders.map((one) => maskSubject(one, entity, catalogue)),
    reason: reason === null ? null : MASK,
  };
}

/** `task:1` within a root entity. The root entity itself is `process:…` there, whatever its kind is called. */
function maskSubject(subject: string, entity: string, catalogue: Catalogue): string {
  if (!subject.startsWith('process:')) return maskEntity(subject, catalogue);
  return maskEntity(entity, catalogue) === entity ? subject : `process:${MASK}`;
}

/** Without the values that its conditions compare personal facts with. */
export function maskSilence(silence: Silence, catalogue: Catalogue): Silence {
  const { conditions, ...names } = silence.matcher;
  if (conditions === undefined) return { ...silence, masked: true };
  return {
    ...silence,
    matcher: { ...names, conditions: maskLiterals(conditions, catalogue) },
    masked: true,
  };
}

function maskLiterals(
  condition: Readonly<Record<string, unknown>>,
  catalogue: Catalogue,
): Record<string, unknown> {
  const { fact, path, value } = condition;
  if (typeof fact === 'string') {
    const place = { fact, path: typeof path === 'string' ? parsePath(path) : null };
    return isKeptAnywhere(place, catalogue) && !referenceIn(value)
      ? { ...condition, value: MASK }
      : condition;
  }
  const within = (below: unknown): unknown => (isObject(below) ? maskLiterals(below, catalogue) : below);
  return Object.fromEntries(
    Object.entries(condition).map(([key, below]) => [
      key,
      Array.isArray(below) ? below.map(within) : within(below),
    ]),
  );
}

/** Whether a place is kept from viewers in events of any type. */
function isKeptAnywhere({ fact, path }: PersonalPlace, catalogue: Catalogue): boolean {
  if (lookupPlaceOf(fact) !== null) return true;
  return catalogue.entries.some(({ eventType }) => {
    const { definition, personal } = fieldWithin(fieldOfFact(catalogue, eventType, fact), path ?? []);
    return personal || isPersonal(definition);
  });
}

export function maskTargetRow(row: Target): Target {
  // A lane of one target has its name.
  return { ...row, target: maskTarget(row.target), lane: maskTarget(row.lane) };
}

/** Without values of personal fields and of everything that look-ups answered. */
export function maskEvaluation(
  evaluation: ExplainedEvaluation,
  entity: string | null,
  catalogue: Catalogue,
): ExplainedEvaluation {
  const { eventType, explanations, suppressions } = evaluation;
  const masks = new ExplanationMask((place) => isKeptIn(place, eventType, catalogue));
  return {
    ...evaluation,
    explanations: explanations.map((one) => masks.explanation(one)),
    suppressions: suppressions.map((one) => maskSuppression(one, entity, catalogue)),
  };
}

/** Why a rule came out so, without values of personal fields and of what look-ups answered. */
export function maskExplanation(
  explanation: RuleExplanation,
  eventType: string,
  catalogue: Catalogue,
): RuleExplanation {
  return new ExplanationMask((place) => isKeptIn(place, eventType, catalogue)).explanation(explanation);
}

/** A leaf without values of personal fields and of what look-ups answered. */
export function maskLeaf(leaf: ExplainedLeaf, eventType: string, catalogue: Catalogue): ExplainedLeaf {
  return new ExplanationMask((place) => isKeptIn(place, eventType, catalogue)).leaf(leaf);
}

/** Whether a place is kept from viewers in events of a type. */
function isKeptIn({ fact, path }: PersonalPlace, eventType: string, catalogue: Catalogue): boolean {
  if (lookupPlaceOf(fact) !== null) return true;
  return isPersonal(fieldWithin(fieldOfFact(catalogue, eventType, fact), path ?? []).definition);
}

interface PersonalPlace {
  readonly fact: string;
  readonly path: readonly string[] | null;
}

class ExplanationMask {
  /** `isKept`: what the catalogue says now. What it said when the rule set was made holds too. */
  constructor(private readonly isKept: (place: PersonalPlace) => boolean) {}

  explanation(explanation: RuleExplanation): RuleExplanation {
    const { verdict, tree, failing, lookups, repair } = explanation;
    return {
      ...explanation,
      verdict: verdict.verdict === 'error' ? { ...verdict, error: MASK } : verdict,
      tree: this.node(tree),
      failing: failing.map((one) => this.leaf(one)),
      lookups: lookups.map(maskLookup),
      repair:
        repair?.kind === 'changes'
          ? { ...repair, changes: repair.changes.map((one) => this.change(one)) }
          : repair,
    };
  }

  private node(node: ExplainedNode): ExplainedNode {
    if (node.kind === 'leaf') return this.leaf(node);
    return node.kind === 'not'
      ? { ...node, child: this.node(node.child) }
      : { ...node, children: node.children.map((one) => this.node(one)) };
  }

  leaf(leaf: ExplainedLeaf): ExplainedLeaf {
    const isKept = leaf.personal || this.isKept(leaf) || (leaf.other !== null && this.isKept(leaf.other));
    const error = leaf.error === null ? null : MASK;
    if (!isKept) return { ...leaf, error };
    return {
      ...leaf,
      actual: maskGiven(leaf.actual),
      // A literal that holds, or is all but the value, tells the value too.
      expected: maskGiven(leaf.expected),
      error,
      labels: { ...leaf.labels, actual: null, expected: null },
    };
  }

  private change(change: ExplainedChange): ExplainedChange {
    if (!change.personal && !this.isKept(change)) return change;
    return {
      ...change,
      from: maskGiven(change.from),
      to: maskGiven(change.to),
      labels: { ...change.labels, from: null, to: null },
    };
  }
}

function maskLookup(lookup: ExplainedLookup): ExplainedLookup {
  switch (lookup.state) {
    case 'not asked':
      return lookup;
    case 'answered':
      return { ...lookup, request: maskText(lookup.request) };
    case 'failed':
      return { ...lookup, request: maskText(lookup.request), detail: maskText(lookup.detail) };
  }
}

/** A value that is missing stays missing. */
const maskGiven = (value: unknown): unknown => (value === undefined ? undefined : MASK);
