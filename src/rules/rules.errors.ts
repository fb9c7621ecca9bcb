/** A rule set cannot be used or found. The message names it and the mend. */
export class RuleSetError extends Error {
  constructor(
    readonly code: 'RULE_SET_UNKNOWN' | 'RULE_SET_UNREADABLE' | 'RULES_CHANGING',
    message: string,
  ) {
    super(message);
    this.name = 'RuleSetError';
  }
}
