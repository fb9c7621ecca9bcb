const TYPE = 'corehr.process.approver.updated_v2';
const tell = (name: string, more: object = {}): object => ({
  type: 'http',
  name,
  url: 'https://books.example/tell',
  body: { process: '{{ event.process_id }}' },
  ...more,
});
const leaf = (fact: string, operator: string, value: unknown): object => ({ fact, operator, value });

/** Rules with everything that mutants change: named conditions, all gates, an escalation, both shapes, any layout. */
export const GATED_RULES: Readonly<Record<string, string>> = {
  'common.conditions.json': JSON.stringify(
    {
      renewal: { all: [leaf('biz_type', 'equal', 'renewal_record'), { condition: 'open' }] },
      open: { any: [leaf('status', 'equal', 1), leaf('status', 'equal', 3)] },
    },
    null,
    2,
  ),
  'named.rule.json': `\ufeff${JSON.stringify(
    [
      {
        name: 'named-one',
        trigger: TYPE,
        conditions: { all: [{ condition: 'renewal' }, leaf('type', 'lessThan', 5)] },
        actions: [tell('tell'), tell('tell-more')],
      },
      {
        name: 'named-two',
        trigger: TYPE,
        conditions: {
          all: [{ not: { condition: 'open' } }, { not: leaf('biz_type', 'equal', 'job_change') }],
        },
        oncePer: 'process',
        actions: [tell('tell', { when: { all: [leaf('status', 'notIn', [4, 18])] } })],
      },
    ],
    null,
    2,
  ).replaceAll('\n', '\r\n')}`,
  'gates.rule.json': JSON.stringify(
    {
      name: 'gates',
      trigger: TYPE,
      timezone: 'Asia/Shanghai',
      conditions: {
        all: [leaf('node_definition_id', 'startsWith', 'approval_'), leaf('status', 'in', [1, 2])],
      },
      throttle: { max: 2, per: '1h' },
      quietHours: { outside: '09:00-19:00', then: 'defer' },
      budget: { max: 3, per: '24h' },
      actions: [tell('tell')],
      escalate: {
        per: 'task',
        steps: [
          {
            after: '2h',
            actions: [tell('remind'), tell('remind-lead', { when: { all: [leaf('type', 'equal', 1)] } })],
          },
          { after: '24h', name: 'lead', actions: [tell('lead')] },
        ],
        cancelOn: { all: [leaf('biz_type', 'equal', 'withdrawn')] },
      },
    },
    null,
    2,
  ),
  'gathered.rule.json': JSON.stringify({
    name: 'gathered',
    owner: 'people-ops',
    trigger: TYPE,
    conditions: { any: [leaf('status', 'greaterThanInclusive', 3), leaf('task.transition', 'equal', '1>2')] },
    digest: { window: '15m' },
    actions: [
      { type: 'http', name: 'tell', url: 'https://books.example/list', body: { owner: '{{ rule.owner }}' } },
    ],
  }),
  'list.rule.json': JSON.stringify({
    name: 'list',
    trigger: TYPE,
    conditions: { any: [leaf('status', 'equal', 2), leaf('status', 'equal', 4)] },
    digest: { window: '1h' },
    actions: [
      { type: 'http', name: 'tell', url: 'https://books.example/list', body: { list: '{{ items }}' } },
    ],
  }),
  'own-shape.rule.json': JSON.stringify({
    name: 'own-shape',
    trigger: TYPE,
    // The last condition says nothing.
    conditions: {
      all: [
        leaf('node_id_str', 'exists', false),
        leaf('create_time', 'newerThan', '15m'),
        leaf('type', 'in', [1, 5]),
      ],
    },
    event: { type: 'http', params: { url: 'https://books.example/own', body: { at: '{{ event.status }}' } } },
    escalate: { per: 'task', steps: [{ after: 'PT3H', actions: [tell('late')] }] },
  }),
  'schedule.rule.json': JSON.stringify({
    name: 'every-morning',
    trigger: { schedule: '0 9 * * *', over: 'task', timezone: 'Asia/Shanghai' },
    conditions: { all: [leaf('task.firstSeen', 'olderThan', '12h'), leaf('status', 'equal', 1)] },
    actions: [tell('morning')],
  }),
};
