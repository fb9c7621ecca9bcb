import fc from 'fast-check';
import type { Catalogue, FieldDefinition } from '../../src/events/catalogue.js';
import { ENVELOPE_FIELDS } from '../../src/events/catalogue.js';
import { SCHEDULE_TYPE } from '../../src/rules/rule-timing.js';
import { mayBeLast } from '../../src/rules/state/levels.js';
import { type Level, LEVELS } from '../../src/rules/state/root-state.js';
import { digest, escalation, levelsOf, schedule, timing, asking, budget } from './timing-generator.js';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Condition = Readonly<Record<string, Json>>;

/** A fact that the events of a rule surely have, and where in it a value of a simple type stands. */
interface Fact {
  readonly fact: string;
  readonly path: string | null;
  readonly field: FieldDefinition;
  readonly optional: boolean;
}

/**
 * Rules folders in which nothing is wrong: real facts with values of their types, every operator and decorator, nested
 * and named conditions, patterns, lists and schedules as triggers, both shapes of rules, both kinds of actions,
 * escalations and all that says when and how often, any layout.
 */
export function healthyRuleFiles(catalogue: Catalogue): fc.Arbitrary<ReadonlyMap<string, string>> {
  return fc
    .array(healthyRule(catalogue), { minLength: 1, maxLength: 4 })
    .chain((rules) =>
      fc.record({
        rules: fc.constant(rules),
        layout: fc.array(layout, { minLength: rules.length + 1, maxLength: rules.length + 1 }),
        oneFile: fc.boolean(),
      }),
    )
    .map(({ rules, layout: layouts, oneFile }) => {
      const named: Record<string, Json> = {};
      const documents = rules.map(({ rule, conditions }, index) => {
        const name = `rule-${index}`;
        for (const [key, condition] of Object.entries(conditions)) named[`${name}.${key}`] = condition;
        return { ...(prefixed({ ...rule }, `${name}.`) as object), name };
      });
      const files = new Map<string, string>();
      const write = (file: string, value: unknown, index: number): void => {
        files.set(file, (layouts[index] ?? String)(JSON.stringify(value, null, index % 3)));
      };
      if (Object.keys(named).length > 0) write('common.conditions.json', named, rules.length);
      if (oneFile) write('all.rule.json', documents, 0);
      else {
        documents.forEach((document, index) => {
          write(`topic/${index}.rule.json`, document, index);
        });
      }
      return files;
    });
}

/** Names of conditions are made unique once the rule's own name is known. */
function prefixed(value: Json, prefix: string): Json {
  if (Array.isArray(value)) return value.map((one: Json) => prefixed(one, prefix));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      key === 'condition' && typeof one === 'string' ? `${prefix}${one}` : prefixed(one, prefix),
    ]),
  );
}

const layout: fc.Arbitrary<(text: string) => string> = fc.constantFrom(
  (text: string) => text,
  (text: string) => `\ufeff${text}`,
  (text: string) => text.replaceAll('\n', '\r\n'),
  (text: string) => `\n\n${text}\n`,
);

interface HealthyRule {
  readonly rule: Readonly<Record<string, Json>>;
  readonly conditions: Readonly<Record<string, Condition>>;
}

function healthyRule(catalogue: Catalogue): fc.Arbitrary<HealthyRule> {
  return triggers(catalogue).chain(({ trigger, types, over }) => {
    const { exact: all, facts } = factsOf(types, catalogue);
    // A schedule reads the last event of each entity, which is of any of the types.
    const exact = all && over === null;
    const levels = over === null ? levelsOf(types, catalogue) : LEVELS.slice(LEVELS.indexOf(over));
    const asked = [types].flat().every((type) => type.startsWith('corehr.process.'));
    const tree = conditionTree(facts);
    // Seldom: an action with conditions takes as long as a rule.
    const asks = fc.oneof(
      { weight: 9, arbitrary: fc.constant({}) },
      { weight: 1, arbitrary: asking(levels, tree) },
    );
    const action = fc
      .tuple(fc.oneof(http(facts, exact), email(facts, exact)), asks)
      .map(([sends, more]) => ({ ...sends, ...more }));
    const actions = fc.uniqueArray(action, {
      minLength: 1,
      maxLength: 3,
      selector: (action) => action['name'],
    });
    const plain = facts.filter(({ path, field }) => path === null && isSimple(field));
    return fc
      .record({
        conditions: tree,
        named: fc.option(tree, { nil: null }),
        actions,
        ownShape: fc.boolean(),
        times: fc.constantFrom(...plain).chain(({ fact }) => timing(levels, over !== null, fact)),
        braked: fc.option(budget, { nil: null, freq: 3 }),
        gathers: fc.option(digest(over !== null), { nil: null, freq: 5 }),
        escalate:
          over === null && levels.length > 0
            ? fc.option(escalation(levels, asked, tree, actions), { nil: null })
            : fc.constant(null),
        alone: fc.boolean(),
        about: fc.record(
          {
            description: fc.string({ unit: 'grapheme', maxLength: 30 }),
            labels: fc.constant({ team: 'payroll' }),
            enabled: fc.boolean(),
            priority: fc.integer({ min: 1, max: 1000 }),
            $schema: fc.constant('../schema.json'),
          },
          { requiredKeys: [] },
        ),
      })
      .map(
        ({
          conditions,
          named,
          actions,
          ownShape,
          about,
          times,
          braked,
          gathers,
          escalate,
          alone,
        }): HealthyRule => {
          const root = named
            ? { any: [{ condition: 'named' }, { not: { all: [{ condition: 'named' }, conditions] } }] }
            : conditions;
          const [action] = gathers ? [GATHERED] : actions;
          const { type = null, ...params } = action ?? {};
          const sends = ownShape ? { event: { type, params } } : { actions: gathers ? [GATHERED] : actions };
          return {
            rule: {
              trigger,
              owner: 'people-ops',
              ...(about as Record<string, Json>),
              ...times,
              ...(gathers ? { digest: gathers } : {}),
              // Of what is gathered into one message nothing is held.
              ...(braked && (!gathers || escalate) ? { budget: braked } : {}),
              conditions: root,
              ...(escalate && alone && !gathers ? {} : sends),
              ...(escalate ? { escalate } : {}),
            },
            conditions: named ? { named } : {},
          };
        },
      );
  });
}

/** Of a digest: it reads the list. */
const GATHERED: Condition = {
  type: 'http',
  name: 'tell',
  url: 'https://books.example/claims',
  body: {
    list: '{{ items }}',
    count: '{{ items.length }} {{ rule.owner }}',
    first: '{{ items[0].event.event_id }}',
  },
};

interface Trigger {
  readonly trigger: Json;
  /** The event types whose fields the rule reads. */
  readonly types: string | string[];
  /** Of a schedule. */
  readonly over: Level | null;
}

/** Event types, or a schedule. */
function triggers(catalogue: Catalogue): fc.Arbitrary<Trigger> {
  return fc.oneof(
    { weight: 5, arbitrary: eventTypes(catalogue).map((types) => ({ trigger: types, types, over: null })) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(...LEVELS).chain((over) => {
        const entries = catalogue.entries.filter((entry) => mayBeLast(entry, over));
        const types = entries.map(({ eventType }) => eventType);
        return schedule(over).map((trigger) => ({ trigger, types, over }));
      }),
    },
  );
}

/** An event type, a list of them, or a pattern. */
function eventTypes(catalogue: Catalogue): fc.Arbitrary<string | string[]> {
  const types = catalogue.entries.map(({ eventType }) => eventType).filter((type) => type !== SCHEDULE_TYPE);
  const type = fc.constantFrom(...types);
  return fc.oneof(
    { weight: 3, arbitrary: type },
    { weight: 1, arbitrary: fc.uniqueArray(type, { minLength: 1, maxLength: 3 }) },
    { weight: 1, arbitrary: type.map((one) => `${one.slice(0, Math.ceil(one.length / 2))}*`) },
  );
}

/** What all event types of a trigger have. */
function factsOf(
  trigger: string | string[],
  catalogue: Catalogue,
): { readonly exact: boolean; readonly facts: readonly Fact[] } {
  const patterns = typeof trigger === 'string' ? [trigger] : trigger;
  const entries = patterns.flatMap((pattern) => catalogue.matching(pattern));
  const [first, ...others] = entries;
  const facts = Object.entries(ENVELOPE_FIELDS).map(([fact, field]) => ({ fact, field, optional: false }));
  for (const [name, field] of Object.entries(first?.fields ?? {})) {
    const fact = field.fact ?? name;
    const found = others.map(({ eventType }) => catalogue.fieldOf(eventType, fact));
    if (field.deprecated || found.some((other) => JSON.stringify(other) !== JSON.stringify(field))) continue;
    facts.push({ fact, field, optional: field.optional ?? false });
  }
  return {
    exact: !patterns.some((pattern) => pattern.includes('*')),
    facts: facts.flatMap(({ fact, field, optional }) => places({ fact, path: null, field, optional })),
  };
}

/** The fact itself, and everything in it that a path leads to. */
function places(from: Fact): Fact[] {
  const { fact, path, field, optional } = from;
  const below = (step: string, next: FieldDefinition): Fact[] =>
    places({
      fact,
      path: `${path ?? '$'}${step}`,
      field: next,
      optional: optional || (next.optional ?? false),
    });
  if (field.type === 'object') {
    return [from, ...Object.entries(field.fields ?? {}).flatMap(([key, next]) => below(`["${key}"]`, next))];
  }
  return field.type === 'array' && field.items ? [from, ...below('[0]', field.items)] : [from];
}

function conditionTree(facts: readonly Fact[]): fc.Arbitrary<Condition> {
  const group = (child: fc.Arbitrary<Condition>): fc.Arbitrary<Condition> =>
    fc.oneof(
      fc
        .record({
          key: fc.constantFrom('all', 'any'),
          children: fc.uniqueArray(child, { minLength: 1, maxLength: 4, selector: contentOf }),
          name: fc.option(fc.constant('a name'), { nil: null }),
        })
        .map(({ key, children, name }): Condition => ({
          [key]: children,
          ...(name === null ? {} : { name }),
        })),
      child.map((inner): Condition => ({ not: inner })),
    );
  const { root } = fc.letrec<{ root: Condition; node: Condition }>((tie) => ({
    root: group(tie('node')),
    node: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.oneof(leaf(facts), throughList(facts)),
      group(tie('node')),
    ),
  }));
  return root;
}

/** Two conditions are the same whatever they are called and in whatever order their parts stand. */
function contentOf(condition: Json): string {
  if (Array.isArray(condition)) return condition.map(contentOf).sort().join();
  if (typeof condition !== 'object' || condition === null) return JSON.stringify(condition);
  return Object.entries(condition)
    .filter(([key]) => key !== 'name' && key !== 'priority')
    .map(([key, value]) => `${key}=${contentOf(value)}`)
    .sort()
    .join();
}

function leaf(facts: readonly Fact[]): fc.Arbitrary<Condition> {
  const lists = facts.filter(({ field }) => field.type === 'array');
  return fc
    .oneof(
      { weight: 3, arbitrary: fc.constantFrom(...facts) },
      { weight: 2, arbitrary: fc.constantFrom(...(lists.length > 0 ? lists : facts)) },
    )
    .chain((place) =>
      comparison(place.field, facts).map((compared): Condition => ({ ...at(place), ...compared })),
    );
}

/** `everyFact:` beside what makes sure that the list is not empty. */
function throughList(facts: readonly Fact[]): fc.Arbitrary<Condition> {
  const lists = facts.filter(({ field }) => field.type === 'array' && isSimple(field.items));
  if (lists.length === 0) return leaf(facts);
  return fc.constantFrom(...lists).chain((place) => {
    const items = place.field.items as FieldDefinition;
    const operatorOf = ({ operator }: Condition): string => (typeof operator === 'string' ? operator : '');
    return fc
      .tuple(comparison(items, []), comparison(items, []))
      .filter((pair) => !pair.some((one) => operatorOf(one).endsWith('exists')))
      .map(([some, every]): Condition => ({
        all: [
          { ...at(place), ...some, operator: `someFact:${operatorOf(some)}` },
          { ...at(place), ...every, operator: `everyFact:${operatorOf(every)}` },
        ],
      }));
  });
}

function at({ fact, path }: Fact): Condition {
  return path === null ? { fact } : { fact, path };
}

function isSimple(field: FieldDefinition | undefined): boolean {
  return field !== undefined && field.type !== 'object' && field.type !== 'array';
}

/** An operator, with or without decorators, and a value that fit a field. */
function comparison(field: FieldDefinition, facts: readonly Fact[]): fc.Arbitrary<Condition> {
  const pair = (operators: readonly string[], value: fc.Arbitrary<Json>): fc.Arbitrary<Condition> =>
    fc
      .tuple(fc.constantFrom(...operators, ...operators.map((one) => `not:${one}`)), value)
      .map(([operator, given]): Condition => ({ operator, value: given }));
  const exists = pair(['exists'], fc.boolean());
  if (field.type === 'object') return exists;
  if (field.type === 'array') {
    if (!isSimple(field.items)) return exists;
    const element = valueOf(field.items as FieldDefinition);
    return fc.oneof(
      exists,
      fc
        .tuple(fc.constantFrom('contains', 'doesNotContain', 'someFact:equal', 'swap:in'), element)
        .map(([operator, value]): Condition => ({ operator, value })),
    );
  }
  const value = valueOf(field);
  const list = fc.uniqueArray(value, { minLength: 1, maxLength: 4, selector: (one) => JSON.stringify(one) });
  const choices = [
    exists,
    pair(['equal', 'notEqual', 'swap:equal'], value),
    pair(['equal'], fc.constant(null)),
    pair(
      ['equal'],
      value.map((one) => ({ literal: one })),
    ),
    pair(['in', 'notIn', 'someValue:equal', 'everyValue:notEqual'], list),
  ];
  const alike = facts.filter((other) => other.field.type === field.type);
  if (alike.length > 0) choices.push(pair(['equal', 'notEqual'], fc.constantFrom(...alike).map(at)));
  if (field.type === 'integer' || field.type === 'number') {
    choices.push(
      pair(
        ['lessThan', 'lessThanInclusive', 'greaterThan', 'greaterThanInclusive', 'swap:lessThan'],
        fc.integer({ min: -1000, max: 1_000_000 }),
      ),
    );
  }
  if (field.type === 'string') {
    choices.push(
      pair(['startsWith', 'endsWith', 'containsText'], fc.string({ unit: 'grapheme', maxLength: 8 })),
      pair(['matches'], fc.constantFrom('^approval_', '[0-9]+$', '审批|通过', '(a+)+$', '\\d{4}-\\d{2}')),
    );
  }
  if (field.format !== undefined) {
    choices.push(
      pair(
        ['before', 'after'],
        fc.constantFrom('2026-01-31T00:00:00Z', '2026-01-31T09:00:00+08:00', '2024-02-29T23:59:59.5Z'),
      ),
      pair(['olderThan', 'newerThan'], fc.constantFrom('30s', '15m', '24h', '2d', 'PT24H')),
    );
  }
  return fc.oneof(...choices);
}

/** A value that the catalogue says a field may have. */
function valueOf(field: FieldDefinition): fc.Arbitrary<Json> {
  if (field.enum) return fc.constantFrom(...field.enum.map(({ value }) => value));
  switch (field.type) {
    case 'integer':
      return fc.maxSafeInteger();
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }).map((one) => one + 0);
    case 'boolean':
      return fc.boolean();
    case 'string':
    case 'object':
    case 'array':
      return fc.string({ unit: 'grapheme', maxLength: 12 });
  }
}

/** Texts with placeholders that every event of the rule can fill. */
function template(facts: readonly Fact[], exact: boolean): fc.Arbitrary<string> {
  const readable = facts.filter(({ path }) => path === null);
  return fc
    .array(
      fc.oneof(
        fc.constantFrom('审批 ', 'done: ', '<b>&</b>', ' '),
        fc.constantFrom('{{ rule.name }}', '{{ now | date: "yyyy-MM-dd" }}', '{{ secrets.TOKEN }}'),
        fc.constantFrom(...readable).map(({ fact, optional }) => {
          const filter = optional || !exact ? ' | default: "-"' : '';
          return `{{ event${/^\w+$/.test(fact) ? `.${fact}` : `["${fact}"]`}${filter} }}`;
        }),
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map((parts) => parts.join(''));
}

const duration = fc.constantFrom('10s', '1m', '90s', 'PT1M');
const retry: fc.Arbitrary<Json> = fc.oneof(
  fc.array(duration, { minLength: 1, maxLength: 5 }),
  fc.constantFrom({ over: '72h', max: 10 }, { over: '1h' }),
);

function http(facts: readonly Fact[], exact: boolean): fc.Arbitrary<Condition> {
  const text = template(facts, exact);
  return fc
    .record(
      {
        type: fc.constant('http'),
        name: fc.constantFrom('tell', 'book', 'open-ticket'),
        url: fc.oneof(
          fc.constantFrom(
            'https://books.example/claims',
            '{{ secrets.URL }}',
            'http://books.example:8080/a?b=c',
          ),
          text.map((part) => `https://books.example/claims/${part}`),
        ),
        method: fc.constantFrom('POST', 'PUT', 'PATCH', 'DELETE'),
        headers: fc.constantFrom({ authorization: 'Bearer {{ secrets.TOKEN }}' }, { 'x-claim': 'é' }),
        body: fc.record({
          text,
          list: fc.array(text, { maxLength: 3 }),
          number: fc.integer(),
          no: fc.constant(null),
        }),
        timeout: duration,
        success: fc.constantFrom<Json>({ status: [200, 202] }, { path: 'data.code', equal: 0 }),
        retry,
      },
      { requiredKeys: ['type', 'name', 'url'] },
    )
    .map((action) => action as unknown as Condition);
}

function email(facts: readonly Fact[], exact: boolean): fc.Arbitrary<Condition> {
  const text = template(facts, exact);
  return fc
    .record(
      {
        type: fc.constant('email'),
        name: fc.constantFrom('mail-hr', 'mail-owner'),
        to: fc.constantFrom<Json>(
          'hr@example.com',
          ['hr@example.com', 'pay@example.com'],
          '{{ secrets.TO }}',
        ),
        cc: fc.constantFrom<Json>(['boss@example.com']),
        subject: text,
        text,
        html: text,
        retry,
      },
      { requiredKeys: ['type', 'name', 'to', 'subject', 'text'] },
    )
    .map((action) => action as unknown as Condition);
}
