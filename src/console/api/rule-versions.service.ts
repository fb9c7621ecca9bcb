import type { Clock } from '../../config/clock.js';
import { Refusal } from '../../config/problem.js';
import type { ActivationRow, RuleSetStore } from '../../rules/rule-set-store.js';
import { diffWords } from '../../rules/sentence/word-diff.js';
import type { StoredRule, StoredRules } from '../read/stored-rule.js';
import type { RuleVersions } from './rule-pages.schema.js';

/** So many activations are looked at. */
const ACTIVATIONS = 200;
/** And for so long; what was read until then is kept, so that who asks again gets further. */
const WITHIN_MS = 4000;
/** No rule has another name. */
const NAME = /^[\w.-]{1,64}$/;
const MOST_ANSWERS = 100;
const MOST_RULES = 2000;

type Version = RuleVersions['versions'][number];

/** An activation, and the rule in its set. */
interface Found {
  readonly activation: ActivationRow;
  readonly rule: StoredRule | null;
}

/** How rules came to be what they are, by the rule sets that were live. */
export class RuleVersionsService {
  /** By the hash of the set and the name of the rule: what is stored does not change. */
  private readonly rules = new Map<string, StoredRule | null>();
  /** Whole ones, by the rule, until the next activation. */
  private readonly answers = new Map<string, { readonly number: number; readonly answer: RuleVersions }>();
  private readonly running = new Map<string, Promise<RuleVersions>>();

  constructor(
    private readonly ruleSets: RuleSetStore,
    private readonly stored: StoredRules,
    private readonly clock: Clock,
  ) {}

  /** @throws Refusal 404 RULE_UNKNOWN */
  async list(name: string): Promise<RuleVersions> {
    if (!NAME.test(name)) throw unknown(name);
    const running =
      this.running.get(name) ??
      this.tell(name).finally(() => {
        this.running.delete(name);
      });
    this.running.set(name, running);
    return await running;
  }

  private async tell(name: string): Promise<RuleVersions> {
    const history = await this.ruleSets.history(ACTIVATIONS + 1, null);
    const number = history[0]?.number ?? 0;
    const known = this.answers.get(name);
    if (known?.number === number) return known.answer;
    const activations = history.slice(0, ACTIVATIONS);
    const found = await this.look(name, activations);
    const late = found.length < activations.length;
    const versions = versionsOf(found);
    if (versions.length === 0 && !late) throw unknown(name);
    const answer = { rule: name, versions, cut: late || history.length > ACTIVATIONS };
    if (!late) keep(this.answers, name, { number, answer }, MOST_ANSWERS);
    return answer;
  }

  /** The latest first, as far as the time lasts. What is known costs none. */
  private async look(name: string, activations: readonly ActivationRow[]): Promise<Found[]> {
    const until = this.clock.now() + WITHIN_MS;
    const found: Found[] = [];
    const bySource = new Map<string, StoredRule | null>();
    for (const activation of activations) {
      const key = `${activation.hash} ${name}`;
      let rule = this.rules.get(key);
      if (rule === undefined) {
        if (this.clock.now() >= until) break;
        rule = await this.read(activation.hash, name, bySource);
        keep(this.rules, key, rule, MOST_RULES);
      }
      found.push({ activation, rule });
    }
    return found;
  }

  /** Null: the set has no such rule. */
  private async read(
    hash: string,
    name: string,
    bySource: Map<string, StoredRule | null>,
  ): Promise<StoredRule | null> {
    const source = await this.stored.source(hash, name);
    if (!source) return null;
    const same = bySource.get(source.digest);
    if (same !== undefined) return same;
    const rule = await this.stored.read(hash, name, source);
    bySource.set(source.digest, rule);
    return rule;
  }
}

function unknown(name: string): Refusal {
  return new Refusal(
    404,
    'RULE_UNKNOWN',
    `no rule set of the last ${ACTIVATIONS} that were made live has a rule "${name.slice(0, 200)}"`,
  );
}

/** Those that differ from the one before them, the latest first. */
function versionsOf(found: readonly Found[]): Version[] {
  const versions: Version[] = [];
  let before: StoredRule | null = null;
  for (const { activation, rule } of found.toReversed()) {
    if (isSame(rule, before)) continue;
    versions.push(versionOf(activation, rule, before));
    before = rule;
  }
  const last = versions.at(-1);
  if (last?.document) versions[versions.length - 1] = { ...last, live: true };
  return versions.reverse();
}

function isSame(one: StoredRule | null, other: StoredRule | null): boolean {
  return JSON.stringify(one?.document) === JSON.stringify(other?.document);
}

function versionOf(
  { hash, number, activatedAt, actor, reason }: ActivationRow,
  rule: StoredRule | null,
  before: StoredRule | null,
): Version {
  const [now, then] = [rule?.sentence, before?.sentence];
  return {
    ruleSet: hash,
    number,
    activatedAt: activatedAt.toISOString(),
    actor,
    reason,
    live: false,
    document: rule && { ...rule.document },
    file: rule?.file ?? null,
    sentence: rule?.sentence ?? null,
    changes:
      now && then ? { zh: [...diffWords(then.zh, now.zh)], en: [...diffWords(then.en, now.en)] } : null,
  };
}

/** Without the oldest, where there would be too many. */
function keep<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}
