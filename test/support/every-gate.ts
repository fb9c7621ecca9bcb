const TYPE = 'corehr.process.approver.updated_v2';
const PROCESS = 'corehr.process.updated_v2';
const http = (name: string, more: object = {}): object => ({
  type: 'http',
  name,
  url: 'https://a.example/{{ event.process_id }}',
  body: { task: '{{ event.approver_id }}', status: '{{ event.status }}' },
  ...more,
});
const leaf = (fact: string, operator: string, value: unknown): object => ({ fact, operator, value });
const rule = (name: string, conditions: object, more: object = {}): object => ({
  name,
  owner: 'people-ops',
  trigger: TYPE,
  conditions,
  actions: [http('tell')],
  ...more,
});
const is = (status: number): object => ({ all: [leaf('status', 'equal', status)] });

/** Rules over the events of tasks and processes, in which every gate and every way to be late has its part. */
export const EVERY_GATE: readonly object[] = [
  rule('plain', is(3)),
  rule('kinds', is(2), {
    actions: [
      {
        type: 'email',
        name: 'mail',
        to: ['hr@example.com'],
        subject: 'No {{ event.approver_id }}',
        text: '{{ now }}',
      },
      { type: 'feishu-bot', name: 'chat', url: '{{ secrets.BOT }}', text: '{{ event.process_id }}' },
    ],
  }),
  rule('transition', { all: [leaf('task.transition', 'equal', '1>3')] }, { settle: '10h' }),
  rule('reopened', { all: [leaf('task.reopened', 'equal', true)] }),
  rule('late', { all: [leaf('event.late', 'equal', true)] }),
  rule('counts', { all: [leaf('node.done', 'greaterThanInclusive', 2)] }, { oncePer: 'process' }),
  rule('throttled', is(3), { throttle: { max: 2, per: '6h' } }),
  rule('throttled-each', is(1), { throttle: { max: 1, per: '3h', key: 'process_id' } }),
  rule('budgeted', is(3), { budget: { max: 3, per: '12h' } }),
  rule('deferred', is(3), { quietHours: { outside: '09:00-19:00', then: 'defer' } }),
  rule('dropped', is(3), { quietHours: { outside: '09:00-19:00', then: 'drop', calendar: 'cn' } }),
  rule(
    'in-order',
    { any: [leaf('status', 'equal', 1), leaf('status', 'equal', 3)] },
    {
      quietHours: { outside: '09:00-19:00', then: 'defer' },
      budget: { max: 6, per: '12h' },
      actions: [http('mirror', { order: 'process' })],
    },
  ),
  rule('sometimes', is(3), {
    actions: [
      http('tell', { when: { all: [leaf('now.workday', 'equal', true)] } }),
      http('else', { when: { all: [leaf('task.previousStatus', 'equal', 1)] } }),
    ],
    calendar: 'cn',
  }),
  rule('for-a-time', is(3), { effective: { from: '2026-11-03T00:00:00+08:00', until: '2026-11-04' } }),
  rule('off', is(3), { enabled: false }),
  rule('gathered', is(3), {
    digest: {
      window: '90m',
      key: 'process_id',
      item: '{{ event.approver_id }} {{ task.transition | default: "?" }}',
    },
    actions: [
      http('tell', {
        url: 'https://a.example/all',
        body: { count: '{{ items.length }}', all: '{{ items }}' },
      }),
    ],
  }),
  rule('gathered-by-day', is(2), {
    digest: { window: '15m' },
    quietHours: { outside: '09:00-19:00', then: 'defer' },
    actions: [http('tell', { url: 'https://a.example/all', body: 'All: {{ items }}' })],
  }),
  rule('nag', is(1), {
    actions: undefined,
    escalate: {
      per: 'task',
      steps: [
        { name: 'soon', after: '4h', actions: [http('tell', { body: '{{ task.age }} {{ now }}' })] },
        {
          name: 'day',
          after: '24h',
          actions: [http('tell'), http('boss', { when: { all: [leaf('process.tasks', 'greaterThan', 1)] } })],
        },
      ],
      cancelOn: { all: [leaf('process.rejected', 'greaterThan', 0)] },
    },
  }),
  rule('nag-at-work', is(1), {
    escalate: {
      per: 'process',
      calendar: 'cn',
      confirm: true,
      steps: [{ name: 'work', after: '8 work hours', actions: [http('tell')] }],
    },
    oncePer: 'task',
  }),
  rule('nag-node', is(1), {
    actions: undefined,
    quietHours: { outside: '09:00-19:00', then: 'defer' },
    escalate: {
      per: 'node',
      steps: [
        { name: 'first', after: '3h', actions: [http('tell')] },
        {
          name: 'second',
          after: '30h',
          actions: [http('tell', { body: '{{ lookup.user.name | default: "?" }}' })],
        },
      ],
    },
  }),
  rule('ended', is(9), { trigger: PROCESS, actions: [http('tell', { body: { at: '{{ now }}' } })] }),
  rule(
    'any-type',
    { all: [leaf('process.tasks', 'greaterThan', 2)] },
    {
      trigger: 'corehr.process.*',
      oncePer: 'process',
      actions: [http('tell', { body: { open: '{{ node.pending | default: 0 }}' } })],
    },
  ),
  rule(
    'every-morning',
    { all: [leaf('task.firstSeen', 'olderThan', '10h')] },
    {
      trigger: { schedule: '30 8 * * *', calendar: 'cn', timezone: 'Asia/Shanghai', over: 'task' },
      digest: { key: 'owner', item: '{{ event.approver_id | default: "–" }}' },
      actions: [http('tell', { url: 'https://a.example/all', body: '{{ items }}' })],
    },
  ),
  rule(
    'each-evening',
    { all: [leaf('process.tasks', 'greaterThan', 1)] },
    {
      trigger: { schedule: '0 20 * * *', over: 'process' },
      throttle: { max: 5, per: '2h' },
      actions: [
        http('tell', {
          url: 'https://a.example/{{ event.process_id | default: "none" }}',
          body: { n: '{{ process.tasks }}' },
        }),
      ],
    },
  ),
];

/** What they refer to. */
export const EVERY_GATE_FILES: Readonly<Record<string, object>> = {
  'lookups.json': { user: { type: 'feishu-user', id: '{{ event.approver_id }}' } },
};
