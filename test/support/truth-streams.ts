import type { Catalogue } from '../../src/events/catalogue.js';
import { mutantsOf } from '../../src/rules/cases/mutants.js';
import { RuleSource } from '../../src/rules/cases/rule-source.js';
import { edited } from '../../src/rules/cases/source-edit.js';
import { compileRuleSet, type RuleFiles } from '../../src/rules/rule-compiler.js';
import type { RuleSet } from '../../src/rules/rule-set.js';
import { mutated, MUTATION_KINDS } from './rule-set-mutations.js';
import type { SeededRandom } from './seeded-random.js';
import type { Arrival, PlatformAnswers } from './stepped-service.js';
import { arrivalsOf, randomOf, taskStories } from './task-stories.js';
import { filesOf, type RuleDocuments } from './truth-rules.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A rule set, and the files that it was made of. */
export interface FiledRules {
  readonly files: RuleFiles;
  readonly ruleSet: RuleSet;
}

/**
 * What happens to a few tasks from some hours after `begin` on, until `end` (ms), with duplicates and disorder. Of one
 * process each comes at a time of its own: which of two events of one millisecond is the later one, is told by the chance of
 * their ids. Those of several processes may come together.
 */
export function randomArrivals(
  random: SeededRandom,
  { begin, end }: { readonly begin: number; readonly end: number },
): readonly Arrival[] {
  const grain = random.pick([MINUTE, MINUTE, HOUR / 2]);
  const tasks = 5 + random.below(5);
  const stories = taskStories(tasks, begin + 3 * HOUR, randomOf(random.below(2 ** 31)), grain);
  const last = new Map<string, number>();
  return arrivalsOf(stories)
    .flatMap(({ at, events }) => events.map((story) => ({ at, story })))
    .map(({ at, story }) => {
      const own = Math.max(at, (last.get(story.process) ?? 0) + 1);
      last.set(story.process, own);
      return { at: own, story };
    })
    .filter(({ at }) => at < end)
    .sort((a, b) => a.at - b.at);
}

/** Of some tasks and processes the platform says that nobody is waited for, whatever the events say. */
export function randomPlatform(stream: readonly Arrival[], random: SeededRandom): PlatformAnswers {
  const tasks = Map.groupBy(stream, ({ story }) => story.process);
  const detail = (process: string, ids: readonly string[]): object => {
    const lists = Map.groupBy(ids, () => (random.chance(0.2) ? 'done_list' : 'todos'));
    const listOf = (name: 'done_list' | 'todos'): object[] =>
      (lists.get(name) ?? []).map((approver_id) => ({ approver_id, node_definition_id: 'n', status: 1 }));
    const status = random.chance(0.2) ? 9 : 1;
    return { process_id: process, status, todos: listOf('todos'), done_list: listOf('done_list') };
  };
  const idsOf = (own: readonly Arrival[]): string[] => [
    ...new Set(own.flatMap(({ story }) => story.task ?? [])),
  ];
  return {
    processes: new Map([...tasks].map(([process, own]) => [process, detail(process, idsOf(own))])),
    users: new Map(idsOf(stream).map((task) => [task, { name: `U ${task}` }])),
  };
}

/** Rule sets to compare, made of a pool of rules. */
export class RandomRules {
  constructor(
    private readonly pool: RuleDocuments,
    private readonly catalogue: Catalogue,
  ) {}

  /** Some of the rules there are, a few of them changed already. */
  async some(random: SeededRandom): Promise<FiledRules & { readonly documents: RuleDocuments }> {
    const { pool } = this;
    for (;;) {
      let documents: RuleDocuments = { ...pool, rules: random.some(pool.rules, 10 + random.below(6)) };
      for (let left = random.below(4); left > 0; left -= 1)
        documents = mutated(documents, random.pick(MUTATION_KINDS), random, pool)?.after ?? documents;
      const made = await this.compiled(filesOf(documents));
      if (made) return { ...made, documents };
    }
  }

  /** With one small change to the text of a file, as rule tests make them, or with one to three as people make them. */
  async mutant(
    { documents, files, ruleSet }: FiledRules & { readonly documents: RuleDocuments },
    random: SeededRandom,
  ): Promise<FiledRules & { readonly kinds: readonly string[] }> {
    for (;;) {
      if (random.chance(0.3)) {
        const names = new Set(ruleSet.rules.map(({ name }) => name));
        const { edit, kind } = random.pick(mutantsOf(ruleSet, new RuleSource(files), names));
        const text = edited(files.get(edit.file) ?? '', edit);
        const made = await this.compiled(new Map([...files, [edit.file, text]]));
        if (made) return { ...made, kinds: [kind] };
        continue;
      }
      const kinds: string[] = [];
      let after = documents;
      for (let left = random.pick([1, 1, 1, 2, 3]); left > 0; left -= 1) {
        const one = mutated(after, random.pick(MUTATION_KINDS), random, this.pool);
        if (!one) continue;
        after = one.after;
        kinds.push(one.kind);
      }
      const made = kinds.length === 0 ? null : await this.compiled(filesOf(after));
      if (made) return { ...made, kinds };
    }
  }

  /** Null: such rules are no rule set. */
  private async compiled(files: RuleFiles): Promise<FiledRules | null> {
    const { ruleSet } = await compileRuleSet(files, this.catalogue);
    return ruleSet && { files, ruleSet };
  }
}
