import { biz, BIZ, type DefectKind, planted, STATUSES, waiting } from './defect-parts.js';
import { all, any, EXPENSE, type JsonObject, leaf, rule, TASK, tell } from './rule-parts.js';
import type { SeededRandom } from './seeded-random.js';

const NAMES = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth'];

/** A rule of which a part is written wrongly. */
function slip(name: string, code: string, of: (random: SeededRandom) => JsonObject): DefectKind {
  return planted(`slip: ${name}`, code, (random) => [of(random)]);
}

const sound = (random: SeededRandom, more: JsonObject = {}): JsonObject =>
  rule('planted', TASK, all(biz(random), leaf('status', 'equal', random.pick(STATUSES))), more);

/** Slips of the pen, which the check finds. */
export const SLIP_KINDS: readonly DefectKind[] = [
  slip('a key of the rule', 'RULE_KEY_UNKNOWN', (random) => ({
    ...sound(random),
    [random.pick(['acitons', 'ownr', 'prioity'])]: 1,
  })),
  slip('a missing name', 'RULE_KEY_MISSING', (random) =>
    Object.fromEntries(Object.entries(sound(random)).filter(([key]) => key !== 'name')),
  ),
  slip('a text for a number', 'VALUE_TYPE', (random) =>
    rule('planted', TASK, all(leaf('status', 'equal', random.pick(['3', '待办', 'done'])))),
  ),
  slip('an operator', 'RULE_VALUE_INVALID', (random) =>
    rule('planted', TASK, all(leaf('status', random.pick(['equals', 'eq', '==', 'greater']), 3))),
  ),
  slip('a fact', 'FACT_UNKNOWN', (random) =>
    rule(
      'planted',
      TASK,
      all(leaf(random.pick(['biztype', 'satus', 'node_definition', 'task.state']), 'equal', 'x')),
    ),
  ),
  slip('a value of no enum', 'VALUE_NOT_IN_ENUM', (random) =>
    rule('planted', TASK, any(biz(random), leaf('status', 'equal', random.pick([5, 6, 30])))),
  ),
  slip('an empty group', 'RULE_VALUE_INVALID', (random) =>
    rule('planted', TASK, all(biz(random), random.pick([any(), all()]))),
  ),
  slip('any beside all', 'RULE_VALUE_INVALID', (random) =>
    rule('planted', TASK, { ...all(biz(random)), ...any(waiting) }),
  ),
  slip('a text for a list', 'RULE_VALUE_INVALID', (random) =>
    rule('planted', TASK, all(leaf('biz_type', 'in', random.pick(BIZ)))),
  ),
  slip('a condition twice', 'CONDITION_TWICE', (random) => {
    const one = biz(random);
    return rule('planted', TASK, all(one, waiting, one));
  }),
  slip('a value twice', 'VALUE_TWICE', (random) => {
    const one = random.pick(BIZ);
    return rule('planted', TASK, all(leaf('biz_type', 'in', [one, 'x', one])));
  }),
  slip('a named condition that there is not', 'CONDITION_UNKNOWN', (random) =>
    rule('planted', TASK, all(biz(random), { condition: random.pick(NAMES) })),
  ),
  slip('a pattern', 'PATTERN_INVALID', (random) =>
    rule('planted', TASK, all(leaf('biz_type', 'matches', random.pick(['(', '(?=a)', '[a'])))),
  ),
  slip('a duration', 'DURATION_INVALID', (random) =>
    rule('planted', EXPENSE, all(leaf('submitted_at', 'olderThan', random.pick(['2 dayz', '24', 'soon'])))),
  ),
  slip('a time', 'TIME_INVALID', (random) =>
    rule(
      'planted',
      EXPENSE,
      all(leaf('submitted_at', 'before', random.pick(['2026-02-30', '2026-01-01T09:00', 'soon']))),
    ),
  ),
  slip('an event type', 'EVENT_TYPE_NEAR_MISS', (random) =>
    rule(
      'planted',
      random.pick(['corehr.process.aprover.updated_v2', 'corehr.process.approver.update_v2']),
      all(leaf('event_id', 'startsWith', 'a')),
    ),
  ),
  slip('a template of a field that there is not', 'TEMPLATE_VALUE_MISSING', (random) =>
    sound(random, {
      actions: [
        tell('x', {
          body: { a: random.pick(['{{ event.biztype }}', '{{ task.stat }}', '{{ event.node_id_str }}']) },
        }),
      ],
    }),
  ),
  slip('a template', 'TEMPLATE_INVALID', (random) =>
    sound(random, {
      actions: [
        tell('x', {
          body: { a: random.pick(['{{ event.status', '{{ events.status }}', '{{ event.status | upper }}']) },
        }),
      ],
    }),
  ),
  slip('the host of an event', 'URL_HOST_FROM_EVENT', (random) =>
    sound(random, {
      actions: [tell('x', { url: random.pick(['https://{{ event.biz_type }}/a', '{{ event.biz_type }}']) })],
    }),
  ),
  slip('two actions of one name', 'ACTION_NAME_TWICE', (random) =>
    sound(random, { actions: [tell('x'), tell('y')] }),
  ),
  slip('a key of the action', 'ACTION_KEY_UNKNOWN', (random) =>
    sound(random, { actions: [tell('x', { [random.pick(['ulr', 'headres', 'retires'])]: 1 })] }),
  ),
  slip('a work calendar that there is not', 'CALENDAR_UNKNOWN', (random) =>
    sound(random, { calendar: random.pick(['china', 'none', 'xx']) }),
  ),
  slip('an end before its beginning', 'RULE_VALUE_INVALID', (random) =>
    sound(random, { effective: { from: '2026-05-01', until: `2026-0${1 + random.below(4)}-01` } }),
  ),
  slip('an entity that the events do not name', 'ENTITY_IN_NO_TYPE', (random) =>
    rule('planted', EXPENSE, all(leaf('urgent', 'equal', true)), { oncePer: random.pick(['task', 'node']) }),
  ),
  planted('slip: two rules of one name', 'RULE_NAME_TWICE', (random) => [
    sound(random),
    { ...sound(random), conditions: all(leaf('type', 'equal', 5)) },
  ]),
  planted(
    'slip: a named condition that nothing uses',
    'CONDITION_UNUSED',
    (random) => [sound(random)],
    (random) => ({
      'a.conditions.json': { [random.pick(NAMES)]: all(biz(random)) },
    }),
  ),
  planted(
    'slip: named conditions in a circle',
    'CONDITIONS_CIRCULAR',
    () => [rule('planted', TASK, all({ condition: 'one' }))],
    (random) => ({
      'a.conditions.json': {
        one: all({ condition: 'two' }, biz(random)),
        two: any({ condition: 'one' }, waiting),
      },
    }),
  ),
];
