import { Refusal } from '../../config/problem.js';
import type { RuleSetStore } from '../../rules/rule-set-store.js';
import type { RuleFile, RuleFileQuery } from './rule-pages.schema.js';
import { refusalOf } from './rule-set-refusal.js';

const NAMES_SHOWN = 50;

/** The files that a stored rule set was made of. */
export class RuleFilesService {
  constructor(private readonly store: RuleSetStore) {}

  /**
   * `hash`: `live`, or the beginning of a hash.
   *
   * @throws Refusal 404 RULE_SET_UNKNOWN, FILE_UNKNOWN
   */
  async find(hash: string, { path }: RuleFileQuery): Promise<RuleFile> {
    const ruleSet = await this.hashOf(hash);
    const text = await this.store.fileOf(ruleSet, path);
    if (text !== null) return { ruleSet, path, text };
    const files = await this.store.filesOf(ruleSet);
    const more = files.length > NAMES_SHOWN ? ' …' : '';
    throw new Refusal(
      404,
      'FILE_UNKNOWN',
      `there is no file "${path.slice(0, 200)}" in the rule set ${ruleSet.slice(0, 12)}; there are ${
        files.slice(0, NAMES_SHOWN).join(', ') || 'none'
      }${more}`,
    );
  }

  private async hashOf(hash: string): Promise<string> {
    if (hash === 'live') {
      const live = await this.store.liveHash();
      if (live === null) throw new Refusal(404, 'RULE_SET_UNKNOWN', 'No rule set is live.');
      return live;
    }
    try {
      return await this.store.hashOf(hash);
    } catch (error) {
      throw refusalOf(error);
    }
  }
}
