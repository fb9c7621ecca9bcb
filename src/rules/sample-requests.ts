import type { Action, RenderedRequest } from '../action/action.js';
import { RenderError, type TemplateScope } from '../action/render-template.js';
import type { CatalogueEntry } from '../events/catalogue.js';
import type { DecisionInputs, Subject } from './decide.js';
import { digestScope } from './digest-scope.js';
import type { Rule, RuleSet } from './rule-set.js';
import { actionScope } from './template-scope.js';

/** What the actions of a rule set would send for the sample events of the catalogue. */
export interface SampleRequests {
  /** By target: that of the first action that leads there. */
  readonly requests: ReadonlyMap<string, RenderedRequest>;
  /** Actions of which there is no sample to send, and why. */
  readonly left: readonly { readonly rule: string; readonly action: string; readonly code: LeftCode }[];
}

/** The receiver is one that an event names, and no sample may write to; or no sample has what the templates read. */
export type LeftCode = 'DRILL_RECEIVER_FROM_EVENT' | 'DRILL_NOT_RENDERED';

/** Stands where a sample has no value. */
const PLACEHOLDER = 'drill';
const RECEIVERS = ['to', 'cc', 'bcc', 'replyTo'];

/** Renders each action of the rules that are on, those of escalations too, with a sample of an event. Pure. */
export function sampleRequests(
  ruleSet: RuleSet,
  at: Pick<DecisionInputs, 'now' | 'timezone'>,
): SampleRequests {
  const requests = new Map<string, RenderedRequest>();
  const left: { rule: string; action: string; code: LeftCode }[] = [];
  for (const rule of ruleSet.rules) {
    if (!rule.enabled) continue;
    const steps = rule.escalation?.steps.flatMap(({ actions }) => actions) ?? [];
    for (const action of [...rule.actions, ...steps]) {
      const gathers = rule.digest !== null && rule.actions.includes(action);
      const rendered = isForPersonOfEvent(action)
        ? 'DRILL_RECEIVER_FROM_EVENT'
        : render(action, scopesOf(ruleSet, rule, gathers, at));
      if (typeof rendered === 'string') left.push({ rule: rule.name, action: action.name, code: rendered });
      else if (!requests.has(rendered.target)) requests.set(rendered.target, rendered.request);
    }
  }
  return { requests, left };
}

function isForPersonOfEvent({ reads }: Action): boolean {
  return reads.some(({ path, at }) => path[0] !== 'secrets' && RECEIVERS.includes(String(at[0])));
}

function render(action: Action, scopes: Iterable<TemplateScope>): ReturnType<Action['render']> | LeftCode {
  for (const scope of scopes) {
    try {
      return action.render(scope);
    } catch (error) {
      if (!(error instanceof RenderError)) throw error;
    }
  }
  return 'DRILL_NOT_RENDERED';
}

/** Of each event type with a sample that the rule listens to; a schedule listens to none, and any will do. */
function* scopesOf(
  ruleSet: RuleSet,
  rule: Rule,
  gathers: boolean,
  at: Pick<DecisionInputs, 'now' | 'timezone'>,
): Generator<TemplateScope> {
  const { entries } = ruleSet.catalogue;
  const listened = entries.filter(({ eventType }) => rule.listensTo(eventType));
  for (const entry of listened.length > 0 ? listened : entries) {
    if (entry.sample === undefined) continue;
    const subject = subjectOf(entry, at.now);
    if (gathers) {
      const item = { event: Object.fromEntries(subject.facts), task: {}, node: {}, process: {}, lookup: {} };
      yield digestScope(rule, ruleSet, { items: [item], total: 1 }, at);
    } else yield filled(actionScope(rule, ruleSet, subject, at));
  }
  if (!gathers) yield filled(actionScope(rule, ruleSet, subjectOf(null, at.now), at));
}

function subjectOf(entry: CatalogueEntry | null, now: number): Subject {
  const key = 'aftersign:drill/drill';
  const eventType = entry?.eventType ?? PLACEHOLDER;
  const facts = new Map<string, unknown>(Object.entries(entry?.sample ?? {}));
  facts.set('event_type', eventType).set('event_id', PLACEHOLDER).set('create_time', now);
  return { key, eventType, entity: `event:${key}`, appId: null, facts };
}

/** With a placeholder for what the sample, the state or a look-up does not say; the app is never made up. */
function filled(scope: TemplateScope): TemplateScope {
  return {
    ...scope,
    read: (path) => {
      const value = scope.read(path);
      if (value !== undefined || path.join('.') === 'event.app_id') return value;
      return ['event', 'task', 'node', 'process', 'lookup'].includes(path[0] ?? '') ? PLACEHOLDER : undefined;
    },
  };
}
