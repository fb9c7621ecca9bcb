import { isObject } from '../../events/own-member.js';
import type { HolderEvent } from '../due-step.js';
import type { LookupAnswer } from '../lookup-document.js';
import type { RuleSet } from '../rule-set.js';
import type { Level } from '../state/root-state.js';
import { isPending } from '../step-confirmation.js';
import type { LookupStep } from './case-document.js';
import type { VirtualAnswers } from './answers-given.js';

/**
 * The name under which a case says what the platform answers before a step: true or false, whether somebody is still
 * waited for; the detail of the process; or null, that it cannot be asked. A look-up of this name comes first.
 */
export const CONFIRM = 'confirm';

/** What the look-ups of a case answer. Without a word about it, somebody is still waited for. */
export class CaseAnswers implements VirtualAnswers {
  private readonly given = new Map<string, unknown>();

  constructor(private readonly lookups: RuleSet['lookups']) {}

  /** From now on; what was said of others before stays. */
  give({ lookup }: LookupStep): void {
    for (const [name, value] of Object.entries(lookup)) this.given.set(name, value);
  }

  lookup(name: string, request: string, now: number): LookupAnswer | null {
    if (!this.given.has(name)) return null;
    const value = this.given.get(name);
    if (value !== null) return { request, value, fetchedAt: now };
    const failed = { code: 'LOOKUP_FAILED', detail: 'the case says that it fails' };
    return { request, failed, fetchedAt: now };
  }

  pending(per: Level, holder: HolderEvent): boolean | null {
    if (this.lookups.has(CONFIRM) || !this.given.has(CONFIRM)) return true;
    const said = this.given.get(CONFIRM);
    return isObject(said) ? isPending(said, per, holder) : said === null ? null : said === true;
  }
}
