import {
  biz,
  BIZ,
  type DefectKind,
  hidden,
  ladder,
  NODES,
  planted,
  STATUSES,
  fillers,
} from './defect-parts.js';
import { all, leaf, rule, TASK, tell } from './rule-parts.js';

/** Escalations, templates and transitions that cannot be meant. */
export const MEANING_KINDS: readonly DefectKind[] = [
  planted('a status that no rule handles', 'ENUM_UNHANDLED', (random) => {
    const kind = leaf('biz_type', 'equal', 'leave');
    const missing = random.pick(STATUSES);
    return STATUSES.filter((one) => one !== missing).map((one) =>
      rule(`status-${one}`, TASK, all(kind, leaf('status', 'equal', one))),
    );
  }),
  planted('an escalation that nothing ends', 'LADDER_ENDLESS', (random) => [
    ladder(all(biz(random), ...fillers(random, TASK).slice(0, 1))),
  ]),
  planted('an escalation with a cancelOn of another process', 'LADDER_ENDLESS', (random) => {
    const [one, other] = random.some(BIZ, 2);
    const cancelOn = all(leaf('biz_type', 'equal', one!), leaf('biz_type', 'equal', other!));
    return [ladder(all(biz(random)), { cancelOn })];
  }),
  planted('an escalation of a node that nothing ends', 'LADDER_ENDLESS', (random) => [
    ladder(all(biz(random), leaf('node_definition_id', 'equal', random.pick(NODES))), { per: 'node' }),
  ]),
  planted(
    'a template that reads what the conditions say is missing',
    'TEMPLATE_NEVER_THERE',
    (random) => [
      rule('planted', TASK, all(biz(random), leaf('lookup.person', 'exists', false, '$.mail')), {
        actions: [
          tell('x', {
            body: { mail: random.pick(['{{ lookup.person.mail }}', 'to {{ lookup.person.mail }}']) },
          }),
        ],
      }),
    ],
    () => ({
      'lookups.json': {
        person: {
          type: 'http',
          url: 'https://people.example/{{ event.approver_id }}',
          fields: { mail: { type: 'string', optional: true, label: { zh: '邮箱', en: 'mail' } } },
        },
      },
    }),
  ),
  planted('a template that reads what only other event types have', 'TEMPLATE_NEVER_THERE', (random) => [
    rule(
      'planted',
      'corehr.process.*',
      all(leaf('event_type', 'equal', 'corehr.process.node.updated_v2'), biz(random)),
      {
        actions: [
          tell('x', { body: { task: random.pick(['{{ event.approver_id }}', '{{ event.node_id }}']) } }),
        ],
      },
    ),
  ]),
  planted('a template that reads what "when" says is missing', 'TEMPLATE_NEVER_THERE', (random) => [
    rule('planted', 'corehr.process.*', all(biz(random)), {
      actions: [
        tell('x', {
          body: { node: '{{ event.node_id_str }}' },
          when: all(leaf('event_type', 'equal', TASK), leaf('node_id_str', 'exists', false)),
        }),
      ],
    }),
  ]),
  planted('a transition between two ends', 'TRANSITION_FORBIDDEN', (random) => {
    const [from, to] = random.some([2, 3, 4, 18], 2);
    return [rule('planted', TASK, all(biz(random), leaf('task.transition', 'equal', `${from!}>${to!}`)))];
  }),
  planted('a transition among others', 'TRANSITION_FORBIDDEN', (random) => [
    rule(
      'planted',
      TASK,
      all(biz(random), leaf('task.transition', 'in', random.shuffled(['1>2', '1>3', '3>4']))),
    ),
  ]),
  planted('a transition of a status that there is not', 'TRANSITION_FORBIDDEN', (random) => [
    rule(
      'planted',
      TASK,
      all(biz(random), leaf('task.transition', 'equal', random.pick(['1>9', '7>3', '0>1']))),
    ),
  ]),
  planted('a transition that is written otherwise', 'TRANSITION_FORBIDDEN', (random) => [
    rule(
      'planted',
      TASK,
      all(
        biz(random),
        leaf('task.transition', 'equal', random.pick(['1->3', '1 > 3', '1→3', '待办>已完成'])),
      ),
    ),
  ]),
  planted('a task that begins with its end', 'TRANSITION_FORBIDDEN', (random) => [
    rule(
      'planted',
      TASK,
      all(biz(random), leaf('task.transition', 'equal', random.pick(['>2', '>3', '>4']))),
    ),
  ]),
  planted('a transition by its two statuses', 'TRANSITION_FORBIDDEN', (random) => {
    const [from, to] = random.some([2, 3, 4, 18], 2);
    const parts = [leaf('task.previousStatus', 'equal', from!), leaf('status', 'equal', to!)];
    return [rule('planted', TASK, hidden(random, parts, TASK))];
  }),
  planted('a transition by its start', 'TRANSITION_FORBIDDEN', (random) => [
    rule(
      'planted',
      TASK,
      all(biz(random), leaf('task.transition', 'startsWith', random.pick(['5>', '9>', '6>']))),
    ),
  ]),
  planted('a task that is reopened', 'TRANSITION_REOPENS', (random) => [
    rule('planted', TASK, all(biz(random), leaf('task.transition', 'equal', `${random.pick([2, 3, 4])}>1`))),
  ]),
];
