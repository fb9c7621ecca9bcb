import type { Action } from '../action/action.js';
import type { GatheredEnd } from '../action/gathered-delivery.js';
import { RenderError } from '../action/render-template.js';
import { messageOf } from '../config/log.js';
import { quietUntil } from './calendar/work-calendar.js';
import { digestScope, type Gathered } from './digest-scope.js';
import type { TimeDefaults } from './ladder.js';
import type { Rule, RuleSet } from './rule-set.js';
import { ruleOfGate } from './shadow.js';

/** The code of a message that could not be made, and not for want of a value. */
export const DIGEST_FAILED = 'DIGEST_FAILED';

/**
 * Until when a digest that is due at `now` goes on gathering, both in ms; null: it may end. What it has gathered is not
 * lost to quiet hours, also where a rule drops what matches in them.
 */
export function gathersUntil(
  rule: Rule | undefined,
  { calendars }: Pick<RuleSet, 'calendars'>,
  now: number,
  defaults: TimeDefaults,
): number | null {
  if (!rule?.enabled) return null;
  const { quietHours } = rule;
  if (!quietHours || quietHours.then === 'send') return null;
  const name = quietHours.calendar ?? rule.calendar ?? defaults.calendar;
  return quietUntil(now, quietHours, {
    calendar: name === null ? null : (calendars.get(name) ?? null),
    timezone: quietHours.timezone ?? rule.timezone ?? defaults.timezone,
  });
}

/** What becomes of a digest whose time has come, by the rule as it is now. Pure; never throws. */
export function digestEnd(
  rule: Rule | undefined,
  due: { readonly rule: string; readonly action: string },
  ruleSet: RuleSet,
  gathered: Gathered,
  at: { readonly now: number; readonly timezone: string },
): GatheredEnd {
  const gone = (reason: string): GatheredEnd => ({ state: 'cancelled', code: 'RULE_GONE', reason });
  if (!rule) return gone(`the rule "${ruleOfGate(due.rule).name}" is gone`);
  // What a rule has gathered in shadow mode is not sent when it becomes a live one, and the other way round.
  const { mode } = ruleOfGate(due.rule);
  if (rule.mode !== mode)
    return gone(`the rule "${rule.name}" is ${rule.mode === 'live' ? 'live' : 'in shadow mode'} now`);
  if (!rule.enabled) return gone(`the rule "${rule.name}" is switched off`);
  if (!rule.digest) return gone(`the rule "${rule.name}" has no digest any more`);
  const action = rule.actions.find(({ name }) => name === due.action);
  if (!action) return gone(`the rule "${rule.name}" has no action "${due.action}" any more`);
  if (gathered.total === 0)
    return { state: 'cancelled', code: 'DIGEST_EMPTY', reason: 'nothing is left of what it gathered' };
  return render(rule, action, ruleSet, gathered, at);
}

function render(
  rule: Rule,
  action: Action,
  ruleSet: RuleSet,
  gathered: Gathered,
  at: { readonly now: number; readonly timezone: string },
): GatheredEnd {
  try {
    return { state: 'pending', ...action.render(digestScope(rule, ruleSet, gathered, at)) };
  } catch (error) {
    // Whatever it is, it would come up again at once, and hold up all others.
    return {
      state: 'dead',
      code: error instanceof RenderError ? error.code : DIGEST_FAILED,
      reason: messageOf(error),
    };
  }
}
