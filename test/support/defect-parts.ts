import { all, any, filesOf, type Json, type JsonObject, leaf, not, rule, TASK, tell } from './rule-parts.js';
import type { SeededRandom } from './seeded-random.js';

/** Rule files with one mistake in them, and the codes of which one has to be found. */
export interface Planted {
  readonly files: ReadonlyMap<string, string>;
  readonly expected: readonly string[];
}

export interface DefectKind {
  readonly name: string;
  readonly plant: (random: SeededRandom) => Planted;
}

export const BIZ = ['renewal_record', 'job_change', 'probation', 'offboarding', 'onboarding', 'transfer'];
export const NODES = ['approval_7c7d9c4d25b', 'approval_1', 'approval_2f', 'approval_a0', 'approval_b7'];
export const STATUSES = [1, 2, 3, 4, 18];
export const TEXTS = ['A-1', 'A-22', 'B-7', 'C', 'bill', '报销-9'];
export const TIMES = [
  '2026-01-01T00:00:00Z',
  '2026-02-01T09:00:00+08:00',
  '2026-03-05T12:30:00Z',
  '2026-04-30T23:59:59Z',
];

/** Sound conditions on facts that no defect of the same event type reads. */
export function fillers(random: SeededRandom, type: string): JsonObject[] {
  const pool =
    type === TASK
      ? [
          leaf('flow_definition_id', 'startsWith', random.pick(['people_', 'people_71', 'flow'])),
          leaf('app_id', 'equal', random.pick(['cli_a', 'cli_b'])),
          leaf('node_definition_id', 'in', random.some(NODES, 2)),
        ]
      : [
          leaf('applicant', 'equal', random.pick(['Li', 'Wang']), '$.name'),
          leaf('claim_id', 'startsWith', random.pick(['x', 'claim'])),
          leaf('app_id', 'notEqual', random.pick(['cli_a', 'cli_b'])),
        ];
  return random.some(pool, random.below(pool.length));
}

/** The same meaning in one of several shapes, among other conditions. */
export function hidden(random: SeededRandom, conditions: readonly JsonObject[], type: string): JsonObject {
  const parts = random.shuffled([...conditions, ...fillers(random, type)]);
  switch (random.below(4)) {
    case 0:
      return all(...parts);
    case 1:
      return all(...parts.slice(0, 1), ...(parts.length > 1 ? [all(...parts.slice(1))] : []));
    case 2:
      return not(any(...parts.map(not)));
    default:
      return all(any(all(...parts)));
  }
}

/** Rules beside it that are sound, each with an action of its own. */
function neighbours(random: SeededRandom): JsonObject[] {
  return random
    .some(BIZ, random.below(3))
    .map((biz, at) =>
      rule(
        `beside-${at}`,
        TASK,
        all(leaf('biz_type', 'equal', biz), leaf('status', 'equal', random.pick(STATUSES))),
      ),
    );
}

export function among(
  random: SeededRandom,
  rules: readonly JsonObject[],
  others: Readonly<Record<string, Json>> = {},
) {
  const beside = neighbours(random);
  return filesOf(random.chance(0.5) ? [...rules, ...beside] : [...beside, ...rules], others);
}

/** Conditions that exclude each other, in a rule. */
export function never(
  name: string,
  type: string,
  conditionsOf: (random: SeededRandom) => readonly JsonObject[],
  ...also: readonly string[]
): DefectKind {
  return {
    name: `never: ${name}`,
    plant: (random) => ({
      files: among(random, [rule('planted', type, hidden(random, conditionsOf(random), type))]),
      expected: ['CONDITIONS_NEVER', ...also],
    }),
  };
}

export function always(
  name: string,
  type: string,
  conditionsOf: (random: SeededRandom) => JsonObject,
): DefectKind {
  return {
    name: `always: ${name}`,
    plant: (random) => {
      const conditions = conditionsOf(random);
      const shape = random.pick([
        all(conditions),
        any(conditions),
        not(not(conditions)),
        all(all(conditions)),
      ]);
      return { files: among(random, [rule('planted', type, shape)]), expected: ['CONDITIONS_ALWAYS'] };
    },
  };
}

/** Two rules. */
export function pair(
  name: string,
  code: string,
  rulesOf: (random: SeededRandom) => readonly JsonObject[],
  others: (random: SeededRandom) => Readonly<Record<string, Json>> = () => ({}),
): DefectKind {
  return {
    name: `${code}: ${name}`,
    plant: (random) => ({
      files: among(random, random.shuffled(rulesOf(random)), others(random)),
      expected: [code],
    }),
  };
}

/** Rules as they are written. */
export function planted(
  name: string,
  expected: string | readonly string[],
  of: (random: SeededRandom) => readonly JsonObject[],
  others: (random: SeededRandom) => Readonly<Record<string, Json>> = () => ({}),
): DefectKind {
  return {
    name,
    plant: (random) => ({ files: among(random, of(random), others(random)), expected: [expected].flat() }),
  };
}

export const biz = (random: SeededRandom) => leaf('biz_type', 'equal', random.pick(BIZ));
export const waiting = leaf('status', 'equal', 1);
export const same = (to: string) => ({ actions: [tell(to)] });

/** A rule with an escalation. */
export function ladder(conditions: JsonObject, more: JsonObject = {}): JsonObject {
  const escalate = { per: 'task', steps: [{ after: '8h', actions: [tell('lead')] }], ...more };
  return rule('planted', TASK, conditions, { escalate });
}
