import {
  always,
  biz,
  BIZ,
  type DefectKind,
  ladder,
  never,
  planted,
  STATUSES,
  TEXTS,
  TIMES,
  waiting,
  fillers,
  among,
} from './defect-parts.js';
import { all, any, EXPENSE, leaf, not, rule, TASK, tell } from './rule-parts.js';

/** Conditions that nothing can meet. */
export const NEVER_KINDS: readonly DefectKind[] = [
  never('two values of one fact', TASK, (random) => {
    const [one, other] = random.some(STATUSES, 2);
    return [leaf('status', 'equal', one!), leaf('status', 'equal', other!)];
  }),
  never('two texts', TASK, (random) => random.some(BIZ, 2).map((one) => leaf('biz_type', 'equal', one))),
  never(
    'a value that is none of the enum',
    TASK,
    (random) => [leaf('status', 'equal', random.pick([5, 7, 99]))],
    'VALUE_NOT_IN_ENUM',
  ),
  never('a number above and below', EXPENSE, (random) => {
    const bound = random.below(1000);
    return [leaf('amount', 'greaterThan', bound + 1 + random.below(10)), leaf('amount', 'lessThan', bound)];
  }),
  never('a number at its bound', EXPENSE, (random) => {
    const bound = random.below(1000) / 4;
    return [leaf('amount', 'greaterThan', bound), leaf('amount', 'lessThanInclusive', bound)];
  }),
  never('a number and its range', EXPENSE, (random) => {
    const bound = 10 + random.below(1000);
    return [leaf('amount', 'equal', bound), leaf('amount', random.pick(['lessThan', 'greaterThan']), bound)];
  }),
  never('lists without a common value', TASK, (random) => {
    const [a, b, c, d] = random.some(BIZ, 4);
    return [leaf('biz_type', 'in', [a!, b!]), leaf('biz_type', 'in', [c!, d!])];
  }),
  never('a value and a list without it', TASK, (random) => {
    const [a, b] = random.some(BIZ, 2);
    return [leaf('biz_type', 'equal', a!), leaf('biz_type', 'notIn', [a!, b!])];
  }),
  never('equal and not equal', TASK, (random) => {
    const one = random.pick(BIZ);
    return [leaf('biz_type', 'equal', one), leaf('biz_type', random.pick(['notEqual', 'not:equal']), one)];
  }),
  never('none of the values that there are', TASK, (random) => [
    leaf('status', 'notIn', random.shuffled(STATUSES)),
  ]),
  never('true and false', EXPENSE, (random) => [
    leaf('urgent', 'equal', true),
    random.pick([leaf('urgent', 'equal', false), leaf('urgent', 'notEqual', true)]),
  ]),
  never('another start than the whole', EXPENSE, (random) => {
    const [one, other] = random.some(TEXTS, 2);
    return [leaf('state', 'equal', 'NEW'), leaf('state', 'startsWith', random.pick([one!, other!]))];
  }),
  never('two starts', EXPENSE, (random) => {
    const [one, other] = random.some(['A-', 'B-', 'C', '报'], 2);
    return [leaf('claim_id', 'startsWith', one!), leaf('claim_id', 'startsWith', other!)];
  }),
  never('two ends', EXPENSE, (random) => {
    const [one, other] = random.some(['-1', '-2', 'x', '九'], 2);
    return [leaf('claim_id', 'endsWith', one!), leaf('claim_id', 'endsWith', other!)];
  }),
  never('a start that a part is kept out of', EXPENSE, (random) => {
    const text = random.pick(TEXTS);
    return [leaf('claim_id', 'startsWith', `${text}-x`), leaf('claim_id', 'not:containsText', text)];
  }),
  never('before one time and after a later one', EXPENSE, (random) => {
    const at = random.below(TIMES.length - 1);
    return [leaf('submitted_at', 'before', TIMES[at]!), leaf('submitted_at', 'after', TIMES[at + 1]!)];
  }),
  never('older and newer', EXPENSE, (random) => {
    const days = 1 + random.below(5);
    return [
      leaf('submitted_at', 'olderThan', `${days + 1}d`),
      leaf('submitted_at', 'newerThan', `${days * 24}h`),
    ];
  }),
  never('a field that is always there is not', TASK, (random) => [
    leaf(random.pick(['biz_type', 'node_id', 'process_id']), 'exists', false),
  ]),
  never('another event type', TASK, (random) => [
    leaf(
      'event_type',
      'equal',
      random.pick(['corehr.process.updated_v2', 'approval_task', 'corehr.process.approver.updated_v1']),
    ),
  ]),
  never('a transition to another status', TASK, (random) => {
    const [to, other] = random.some([2, 3, 4], 2);
    return [leaf('task.transition', 'equal', `1>${to!}`), leaf('status', 'equal', other!)];
  }),
  never('a transition from another status', TASK, (random) => [
    leaf('task.transition', 'equal', `1>${random.pick([2, 3, 4])}`),
    leaf('task.previousStatus', 'equal', random.pick([2, 3, 4])),
  ]),
  never('an element that the list has not', EXPENSE, (random) => {
    const one = random.pick(TEXTS);
    return [leaf('tags', 'contains', one), leaf('tags', 'doesNotContain', one)];
  }),
  never('a fact above and below another', EXPENSE, (random) => {
    const other = random.pick(['level', 'amount']);
    const [fact, operators] = [
      other === 'level' ? 'amount' : 'level',
      random.shuffled(['greaterThan', 'lessThan']),
    ];
    return operators.map((operator) => leaf(fact, operator, { fact: other }));
  }),
  never('an optional field with two values', EXPENSE, (random) => {
    const [one, other] = random.some(TEXTS, 2);
    return [leaf('note', 'equal', one!), leaf('note', 'equal', other!)];
  }),
  never('all branches', TASK, (random) => {
    const [one, other] = random.some(STATUSES, 2);
    return [
      any(
        all(leaf('status', 'equal', one!), leaf('status', 'equal', other!)),
        all(leaf('type', 'equal', 1), leaf('type', 'equal', 5)),
      ),
    ];
  }),
  {
    name: 'never: a named condition that excludes the others',
    plant: (random) => {
      const [one, other] = random.some(BIZ, 2);
      const conditions = all(
        { condition: 'common' },
        leaf('biz_type', 'equal', other!),
        ...fillers(random, TASK),
      );
      return {
        files: among(random, [rule('planted', TASK, conditions)], {
          'a.conditions.json': { common: all(leaf('biz_type', 'equal', one!)) },
        }),
        expected: ['CONDITIONS_NEVER'],
      };
    },
  },
  planted('never: what an action asks', 'CONDITIONS_NEVER', (random) => {
    const [one, other] = random.some(STATUSES, 2);
    const when = all(leaf('status', 'equal', one!));
    return [
      rule('planted', TASK, all(leaf('status', 'equal', other!), biz(random)), {
        actions: [tell('a'), { ...tell('b', { name: 'b' }), when }],
      }),
    ];
  }),
  planted('never: what cancels an escalation', 'CONDITIONS_NEVER', (random) => {
    const [one, other] = random.some(BIZ, 2);
    const cancelOn = all(leaf('biz_type', 'equal', one!), leaf('biz_type', 'equal', other!));
    return [ladder(all(biz(random), waiting), { cancelOn })];
  }),
];

/** Conditions that everything meets. */
export const ALWAYS_KINDS: readonly DefectKind[] = [
  always('all values that there are', TASK, (random) => leaf('status', 'in', random.shuffled(STATUSES))),
  always('each value for itself', TASK, (random) =>
    any(...random.shuffled(STATUSES).map((one) => leaf('status', 'equal', one))),
  ),
  always('a condition or its opposite', TASK, (random) => {
    const one = leaf('biz_type', 'equal', random.pick(BIZ));
    return any(one, not(all(one)));
  }),
  always('equal or not equal', TASK, (random) => {
    const value = random.pick(BIZ);
    return any(leaf('biz_type', 'equal', value), leaf('biz_type', 'notEqual', value));
  }),
  always('above, or not above', EXPENSE, (random) => {
    const bound = random.below(1000);
    return any(leaf('amount', 'greaterThanInclusive', bound), leaf('amount', 'lessThan', bound));
  }),
  always('true or false', EXPENSE, () => any(leaf('urgent', 'equal', true), leaf('urgent', 'equal', false))),
  always('a field that is always there', TASK, (random) =>
    leaf(random.pick(['biz_type', 'status', 'event_id']), 'exists', true),
  ),
  always('the event type that it listens to', TASK, () => leaf('event_type', 'equal', TASK)),
  always('not two values at once', TASK, (random) => {
    const [one, other] = random.some(STATUSES, 2);
    return not(all(leaf('status', 'equal', one!), leaf('status', 'equal', other!)));
  }),
  planted('always: what an action asks', 'CONDITIONS_ALWAYS', (random) => {
    const [one, other] = random.some(BIZ, 2);
    const when = all(leaf('biz_type', 'in', [one!, other!]));
    return [
      rule('planted', TASK, all(leaf('biz_type', 'equal', one!), waiting), {
        actions: [tell('a'), { ...tell('b', { name: 'b' }), when }],
      }),
    ];
  }),
];
