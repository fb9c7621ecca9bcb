import { biz, BIZ, type DefectKind, hidden, pair, same, STATUSES, TEXTS, waiting } from './defect-parts.js';
import { all, any, EXPENSE, leaf, not, rule, TASK, tell } from './rule-parts.js';

/** Rules that say what others say. */
export const PAIR_KINDS: readonly DefectKind[] = [
  pair('a copy', 'RULE_SAME', (random) => {
    const conditions = hidden(random, [biz(random), leaf('status', 'equal', random.pick(STATUSES))], TASK);
    return [rule('planted', TASK, conditions, same('x')), rule('copy', TASK, conditions, same('x'))];
  }),
  pair('in another order', 'RULE_SAME', (random) => {
    const parts = [biz(random), leaf('status', 'equal', random.pick(STATUSES)), leaf('type', 'equal', 1)];
    return [
      rule('planted', TASK, all(...parts), same('x')),
      rule('copy', TASK, all(...parts.reverse()), same('x')),
    ];
  }),
  pair('a list, and each value', 'RULE_SAME', (random) => {
    const values = random.some(BIZ, 3);
    return [
      rule('planted', TASK, all(leaf('biz_type', 'in', values), waiting), same('x')),
      rule(
        'copy',
        TASK,
        all(any(...values.map((one) => leaf('biz_type', 'equal', one))), waiting),
        same('x'),
      ),
    ];
  }),
  pair('by the opposite', 'RULE_SAME', (random) => {
    const [one, other] = [biz(random), leaf('status', 'equal', random.pick(STATUSES))];
    return [
      rule('planted', TASK, all(one, other), same('x')),
      rule('copy', TASK, not(any(not(one), not(other))), same('x')),
    ];
  }),
  pair('the other statuses', 'RULE_SAME', (random) => {
    const some = random.some(STATUSES, 2);
    const rest = STATUSES.filter((one) => !some.includes(one));
    const kind = biz(random);
    return [
      rule('planted', TASK, all(kind, leaf('status', 'in', some)), same('x')),
      rule('copy', TASK, all(kind, leaf('status', 'notIn', rest)), same('x')),
    ];
  }),
  pair(
    'through a named condition',
    'RULE_SAME',
    () => [
      rule('planted', TASK, all({ condition: 'common' }, waiting), same('x')),
      rule('copy', TASK, all(leaf('biz_type', 'equal', 'probation'), waiting), same('x')),
    ],
    () => ({ 'a.conditions.json': { common: all(leaf('biz_type', 'equal', 'probation')) } }),
  ),
  pair('one condition more', 'RULE_SUBSUMED', (random) => {
    const [one, more] = [biz(random), leaf('status', 'equal', random.pick(STATUSES))];
    return [
      rule('planted', TASK, hidden(random, [one, more], TASK), same('x')),
      rule('wide', TASK, all(one), same('x')),
    ];
  }),
  pair('a narrower range', 'RULE_SUBSUMED', (random) => {
    const bound = random.below(500);
    return [
      rule('planted', EXPENSE, all(leaf('amount', 'greaterThan', bound + 1 + random.below(100))), same('x')),
      rule('wide', EXPENSE, all(leaf('amount', 'greaterThan', bound)), same('x')),
    ];
  }),
  pair('fewer values', 'RULE_SUBSUMED', (random) => {
    const values = random.some(BIZ, 3);
    return [
      rule('planted', TASK, all(leaf('biz_type', 'in', values.slice(0, 2)), waiting), same('x')),
      rule('wide', TASK, all(leaf('biz_type', 'in', random.shuffled(values)), waiting), same('x')),
    ];
  }),
  pair('a longer start', 'RULE_SUBSUMED', (random) => {
    const text = random.pick(TEXTS);
    return [
      rule('planted', EXPENSE, all(leaf('claim_id', 'startsWith', `${text}/${random.below(10)}`)), same('x')),
      rule('wide', EXPENSE, all(leaf('claim_id', 'startsWith', text)), same('x')),
    ];
  }),
  pair('fewer event types', 'RULE_SUBSUMED', (random) => {
    const conditions = all(biz(random));
    return [
      rule('planted', TASK, conditions, same('x')),
      rule('wide', [TASK, 'corehr.process.node.updated_v2'], conditions, same('x')),
    ];
  }),
  pair('one of several actions', 'RULE_SUBSUMED', (random) => {
    const one = biz(random);
    return [
      rule('planted', TASK, all(one, waiting), same('x')),
      rule('wide', TASK, all(one), { actions: [tell('y', { name: 'y' }), tell('x')] }),
    ];
  }),
  pair('conditions that overlap', 'ACTION_TWICE', (random) => {
    const [a, b, c] = random.some(BIZ, 3);
    return [
      rule('planted', TASK, all(leaf('biz_type', 'in', [a!, b!])), same('x')),
      rule('other', TASK, all(leaf('biz_type', 'in', [b!, c!])), same('x')),
    ];
  }),
  pair('conditions on different facts', 'ACTION_TWICE', (random) => [
    rule('planted', TASK, all(biz(random)), {
      actions: [tell('x', { name: 'one' }), tell('y', { name: 'two' })],
    }),
    rule('other', TASK, all(leaf('status', 'equal', random.pick(STATUSES))), {
      actions: [tell('z', { name: 'z' }), tell('x', { name: 'three' })],
    }),
  ]),
  pair('ranges that overlap', 'ACTION_TWICE', (random) => {
    const bound = 10 + random.below(100);
    return [
      rule('planted', EXPENSE, all(leaf('amount', 'lessThan', bound + 1)), same('x')),
      rule('other', EXPENSE, all(leaf('amount', 'greaterThan', bound - 1)), same('x')),
    ];
  }),
  pair('the same, but for how often', 'ACTION_TWICE', (random) => {
    const one = biz(random);
    return [
      rule('planted', TASK, all(one), { ...same('x'), oncePer: 'process' }),
      rule('other', TASK, all(one, waiting), same('x')),
    ];
  }),
  pair('other actions', 'CONDITIONS_SAME', (random) => {
    const values = random.some(BIZ, 2);
    return [
      rule('planted', TASK, all(leaf('biz_type', 'in', values), waiting)),
      rule('other', TASK, all(waiting, any(...values.map((one) => leaf('biz_type', 'equal', one))))),
    ];
  }),
];
