import type { SeededRandom } from './seeded-random.js';
import type { Document, RuleDocuments } from './truth-rules.js';

/** A change of a rule set, as a person makes it; null: there is nothing that it could change. */
type Mutate = (of: RuleDocuments, random: SeededRandom, pool: RuleDocuments) => RuleDocuments | null;

export interface Mutation {
  readonly kind: string;
  readonly after: RuleDocuments;
}

const isDocument = (value: unknown): value is Document =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const nameOf = (one: Document): string => String(one['name']);
const escalationOf = (one: Document): Document | null =>
  isDocument(one['escalate']) ? one['escalate'] : null;
const listIn = (one: Document, key: string): readonly Document[] =>
  Array.isArray(one[key]) ? (one[key] as readonly Document[]) : [];
const isTurned = (one: Document): boolean => isDocument(one['trigger']);

/** One rule that `can` be changed is changed. */
function ofOne(
  can: (rule: Document) => boolean,
  change: (rule: Document, random: SeededRandom) => Document | null,
): Mutate {
  return ({ rules, lookups }, random) => {
    const able = rules.filter(can);
    if (able.length === 0) return null;
    const one = random.pick(able);
    const changed = change(one, random);
    return changed && { rules: rules.map((rule) => (rule === one ? changed : rule)), lookups };
  };
}

/** One action of any rule, of a step or not. */
function ofAction(
  can: (action: Document) => boolean,
  change: (action: Document, random: SeededRandom, rule: Document) => Document,
): Mutate {
  const inList = (list: readonly Document[], random: SeededRandom, rule: Document): readonly Document[] => {
    const able = list.filter(can);
    if (able.length === 0) return list;
    const one = random.pick(able);
    return list.map((action) => (action === one ? change(action, random, rule) : action));
  };
  return ofOne(
    (rule) =>
      [...listIn(rule, 'actions'), ...stepsOf(rule).flatMap((step) => listIn(step, 'actions'))].some(can),
    (rule, random) => {
      const own = listIn(rule, 'actions');
      if (own.some(can)) return { ...rule, actions: inList(own, random, rule) };
      return withSteps(rule, (step) => ({ ...step, actions: inList(listIn(step, 'actions'), random, rule) }));
    },
  );
}

const stepsOf = (rule: Document): readonly Document[] => listIn(escalationOf(rule) ?? {}, 'steps');

function withSteps(rule: Document, change: (step: Document, at: number) => Document | null): Document {
  const steps = stepsOf(rule).flatMap((step, at) => change(step, at) ?? []);
  return { ...rule, escalate: { ...escalationOf(rule), steps } };
}

function without(rule: Document, key: string): Document {
  return Object.fromEntries(Object.entries(rule).filter(([name]) => name !== key));
}

/** A key gets one of some values, another than it had. Undefined: it is left out. */
function keyed(
  key: string,
  values: readonly unknown[],
  can: (rule: Document) => boolean = () => true,
): Mutate {
  return ofOne(can, (rule, random) => {
    const others = values.filter((value) => JSON.stringify(value) !== JSON.stringify(rule[key]));
    const value = random.pick(others);
    return value === undefined ? without(rule, key) : { ...rule, [key]: value };
  });
}

const escalates = (rule: Document): boolean => escalationOf(rule) !== null;
const gathers = (rule: Document): boolean => isDocument(rule['digest']);
const isHttp = (action: Document): boolean => action['type'] === 'http';
const escalated = (key: string, values: readonly unknown[]): Mutate =>
  ofOne(escalates, (rule, random) => {
    const escalate = escalationOf(rule) ?? {};
    const value = random.pick(values.filter((one) => one !== escalate[key]));
    return {
      ...rule,
      escalate: value === undefined ? without(escalate, key) : { ...escalate, [key]: value },
    };
  });

/** By name, every way in which a rule set is changed. */
const MUTATIONS: Readonly<Record<string, Mutate>> = {
  'rule-added': ({ rules, lookups }, random, pool) => {
    const names = new Set(rules.map(nameOf));
    const others = pool.rules.filter((one) => !names.has(nameOf(one)));
    return others.length === 0 ? null : { rules: [...rules, random.pick(others)], lookups };
  },
  'rule-copied': ({ rules, lookups }, random) => {
    const one = random.pick(rules);
    return { rules: [...rules, { ...one, name: `${nameOf(one)}-too` }], lookups };
  },
  'rule-removed': ({ rules, lookups }, random) => {
    const one = random.pick(rules);
    return { rules: rules.filter((rule) => rule !== one), lookups };
  },
  'rule-renamed': ofOne(
    () => true,
    (rule) => ({ ...rule, name: `${nameOf(rule)}-new` }),
  ),
  'status-changed': ofOne(
    (rule) => /"status","operator":"equal","value":\d/.test(JSON.stringify(rule['conditions'])),
    (rule, random) => ({
      ...rule,
      conditions: JSON.parse(
        JSON.stringify(rule['conditions']).replace(
          /("status","operator":"equal","value":)\d/,
          `$1${random.pick([1, 2, 3, 4])}`,
        ),
      ) as unknown,
    }),
  ),
  'condition-added': ofOne(
    (rule) => !isTurned(rule),
    (rule, random) => ({
      ...rule,
      conditions: {
        all: [
          rule['conditions'],
          random.pick([
            { fact: 'event.late', operator: 'equal', value: false },
            { fact: 'now.workday', operator: 'equal', value: true },
            { fact: 'process.tasks', operator: 'greaterThan', value: 1 },
            { fact: 'create_time', operator: 'newerThan', value: '2h' },
            { fact: 'task.firstSeen', operator: 'olderThan', value: '30m' },
          ]),
        ],
      },
    }),
  ),
  url: ofAction(isHttp, (action, random) => ({
    ...action,
    url: String(action['url']).replace(/\/\/\w+\.test/, `//${random.pick(['c', 'd'])}.test`),
  })),
  path: ofAction(isHttp, (action) => ({ ...action, url: `${String(action['url'])}/v2?full=yes` })),
  method: ofAction(isHttp, (action) => ({ ...action, method: 'PUT' })),
  body: ofAction(isHttp, (action, random, rule) => ({
    ...action,
    body: gathers(rule)
      ? { n: '{{ items.length }}', list: 'These: {{ items }}' }
      : random.pick<unknown>([
          { id: '{{ event.event_id | default: "none" }}', at: '{{ now }}' },
          '{{ event.process_id | default: "none" }} {{ rule.name }}',
          { tasks: '{{ process.tasks | default: 0 }}', n: 1 },
        ]),
  })),
  recipient: ofAction(
    (action) => action['type'] === 'email',
    (action, random) => ({
      ...action,
      to: random.pick([['boss@example.com'], ['hr@example.com', 'cc@example.com']]),
    }),
  ),
  text: ofAction(
    ({ type }) => type === 'email' || type === 'feishu-bot',
    (action, random) => ({ ...action, text: random.pick(['{{ event.approver_id }}!', 'Now {{ now }}']) }),
  ),
  'action-renamed': ofAction(
    () => true,
    (action) => ({ ...action, name: `${nameOf(action)}-again` }),
  ),
  'action-added': ofOne(
    (rule) => listIn(rule, 'actions').some(isHttp) && !gathers(rule),
    (rule) => {
      const own = listIn(rule, 'actions');
      const one = own.find(isHttp);
      return one ? { ...rule, actions: [...own, { ...one, name: `${nameOf(one)}-copy` }] } : null;
    },
  ),
  'action-when': ofAction(
    () => true,
    (action, random) => ({
      ...action,
      when: {
        all: [
          random.pick([
            { fact: 'now.time', operator: 'lessThan', value: '13:00' },
            { fact: 'task.transition', operator: 'equal', value: '1>3' },
          ]),
        ],
      },
    }),
  ),
  order: ofAction(isHttp, (action, random, rule) =>
    gathers(rule) || isTurned(rule) ? action : { ...action, order: random.pick(['none', 'task', 'process']) },
  ),
  after: ofOne(escalates, (rule, random) => {
    const at = random.below(stepsOf(rule).length);
    const worked = stepsOf(rule).some((step) => String(step['after']).includes('work'));
    const times = worked ? ['4 work hours', '1 workday', '12 work hours'] : ['2h', '6h', '20h', '50h'];
    return withSteps(rule, (step, index) => (index === at ? { ...step, after: random.pick(times) } : step));
  }),
  'step-dropped': ofOne(
    (rule) => stepsOf(rule).length > 1,
    (rule, random) => {
      const at = random.below(stepsOf(rule).length);
      return withSteps(rule, (step, index) => (index === at ? null : step));
    },
  ),
  'step-renamed': ofOne(escalates, (rule) =>
    withSteps(rule, (step, at) => (at === 0 ? { ...step, name: 'renamed' } : step)),
  ),
  'escalate-dropped': ofOne(
    (rule) => escalates(rule) && listIn(rule, 'actions').length > 0,
    (rule) => without(rule, 'escalate'),
  ),
  'escalate-per': escalated('per', ['task', 'node', 'process']),
  'escalate-confirm': escalated('confirm', [true, false]),
  'escalate-cancel-on': escalated('cancelOn', [
    undefined,
    { all: [{ fact: 'process.tasks', operator: 'greaterThan', value: 2 }] },
  ]),
  quiet: keyed('quietHours', [
    undefined,
    { outside: '09:00-19:00', then: 'defer' },
    { outside: '11:00-15:00', then: 'defer', calendar: 'cn' },
    { outside: '08:00-20:00', then: 'drop' },
    { outside: '10:00-22:00', then: 'send' },
  ]),
  throttle: keyed('throttle', [undefined, { max: 1, per: '12h' }, { max: 3, per: '5h' }]),
  'throttle-key': keyed(
    'throttle',
    [{ max: 1, per: '24h', key: 'process_id' }, undefined],
    (rule) => !isTurned(rule),
  ),
  budget: keyed(
    'budget',
    [undefined, { max: 1, per: '24h' }, { max: 4, per: '6h' }],
    (rule) => !gathers(rule),
  ),
  'digest-window': ofOne(
    (rule) => gathers(rule) && !isTurned(rule),
    (rule, random) => ({
      ...rule,
      digest: { ...(rule['digest'] as Document), window: random.pick(['5m', '4h', '1d']) },
    }),
  ),
  'digest-key': ofOne(
    (rule) => gathers(rule) && !isTurned(rule),
    (rule, random) => ({
      ...rule,
      digest: { ...(rule['digest'] as Document), key: random.pick(['owner', 'process_id', 'event_type']) },
    }),
  ),
  'digest-item': ofOne(gathers, (rule) => ({
    ...rule,
    digest: { ...(rule['digest'] as Document), item: '{{ event.approver_id | default: "–" }} now' },
  })),
  'digest-lookup': ofOne(
    (rule) => gathers(rule) && !isTurned(rule),
    (rule) => ({
      ...rule,
      digest: { ...(rule['digest'] as Document), item: '{{ lookup.person.name | default: "?" }}' },
    }),
  ),
  'once-per': keyed('oncePer', ['event', 'task', 'process'], (rule) => !isTurned(rule)),
  priority: keyed('priority', [1, 5, 90]),
  enabled: ofOne(
    () => true,
    (rule) => ({ ...rule, enabled: rule['enabled'] === false }),
  ),
  effective: keyed('effective', [
    undefined,
    { from: '2026-11-04T12:00:00+08:00' },
    { until: '2026-11-05' },
    { from: '2026-11-03', until: '2026-11-06T01:00:00Z' },
  ]),
  calendar: keyed('calendar', [undefined, 'cn', 'weekdays']),
  timezone: keyed('timezone', [undefined, 'America/New_York', 'UTC'], (rule) => !isTurned(rule)),
  settle: keyed('settle', [undefined, '30m', '3d'], (rule) => !isTurned(rule)),
  trigger: keyed(
    'trigger',
    ['corehr.process.*', 'corehr.process.updated_v2', 'corehr.process.approver.updated_v2'],
    (rule) => !isTurned(rule),
  ),
  schedule: ofOne(isTurned, (rule, random) => ({
    ...rule,
    trigger: {
      ...(rule['trigger'] as Document),
      schedule: random.pick(['30 9 * * *', '0 20 * * 1-3', '15 8,16 * * *']),
    },
  })),
  owner: keyed('owner', ['people-ops', 'finance']),
  description: keyed('description', ['Says what it is for', undefined]),
  'lookup-added': ofOne(
    (rule) => !isTurned(rule),
    (rule) => ({
      ...rule,
      conditions: {
        all: [rule['conditions'], { fact: 'lookup.person.grade', operator: 'lessThan', value: 4 }],
      },
    }),
  ),
  'lookup-document': ({ rules, lookups }) => ({
    rules,
    lookups: { ...lookups, person: { ...(lookups['person'] as Document), headers: { 'x-more': 'yes' } } },
  }),
};

/** Those that change when something is sent come more often: they have the most parts to play in. */
export const MUTATION_KINDS: readonly string[] = [
  ...Object.keys(MUTATIONS),
  ...['after', 'quiet', 'digest-window', 'throttle', 'budget'],
];

/** A rule set with one change of a kind; null: it has nothing to change. `pool`: rules that may be added. */
export function mutated(
  of: RuleDocuments,
  kind: string,
  random: SeededRandom,
  pool: RuleDocuments,
): Mutation | null {
  const after = MUTATIONS[kind]?.(of, random, pool) ?? null;
  return after && { kind, after };
}
