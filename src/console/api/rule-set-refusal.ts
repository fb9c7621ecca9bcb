import { Refusal } from '../../config/problem.js';
import { RuleSetError } from '../../rules/rules.errors.js';

/** What is told to whoever asked for a rule set that cannot be had; any other error stays as it is. */
export function refusalOf(error: unknown): unknown {
  if (!(error instanceof RuleSetError)) return error;
  return new Refusal(error.code === 'RULE_SET_UNKNOWN' ? 404 : 409, error.code, error.message);
}
