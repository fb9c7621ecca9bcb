import {
  type Catalogue,
  type CatalogueEntry,
  ENVELOPE_FIELDS,
  type FieldDefinition,
} from '../events/catalogue.js';
import type { AnswerShape } from './lookup-fields.js';
import { lookupFact } from './lookup-name.js';
import { DECORATORS, type OperatorDefinition, OPERATORS } from './operators.js';
import { STATE_FACTS, stateFieldOf } from './state/fact-fields.js';

/** A JSON Schema (draft-07) or a part of one. */
export type Schema = Readonly<Record<string, unknown>>;

/** A fact, and the fields that it may read: one, or more where rules listen to several event types. */
interface KnownFact {
  readonly name: string;
  readonly readings: readonly { readonly entry: CatalogueEntry | null; readonly field: FieldDefinition }[];
}

/** Values to choose from. Their descriptions are shown on hover and beside each proposal. */
export function choices(list: readonly (readonly [string | number, string])[]): Schema {
  return { enum: list.map(([value]) => value), enumDescriptions: list.map(([, description]) => description) };
}

/** `待办 / to do`. */
export function bilingual({ zh, en }: FieldDefinition['label']): string {
  return zh === en ? zh : `${zh} / ${en}`;
}

/** A definition of the same schema. Facts of a team's own event types may have any name. */
export function refer(name: string): Schema {
  const pointer = name.replaceAll('~', '~0').replaceAll('/', '~1');
  return { $ref: `#/definitions/${encodeURIComponent(pointer)}` };
}

const has = (...keys: readonly string[]): Schema => ({ required: keys });

/** The operator with or without `not:` before it; other decorators change what the value is. */
const operatorIs = (...names: readonly string[]): Schema => ({
  required: ['operator'],
  properties: { operator: { type: 'string', pattern: `^(?:not:)*(?:${names.join('|')})$` } },
});

/**
 * The definitions of conditions: `condition.<event type>` for each catalogued type, whose facts and values it
 * completes, and `condition` for rules that listen to other types or to several. Facts and values that the catalogue
 * has not got are allowed: it is for the loader to refuse them.
 */
export function conditionDefinitions(
  catalogue: Catalogue,
  lookups: ReadonlyMap<string, AnswerShape>,
): Readonly<Record<string, Schema | false>> {
  const values = new ValueDefinitions();
  const answers = [...lookups].flatMap(([name, { field }]) =>
    field ? membersOf(lookupFact(name), field) : [],
  );
  const special = specialise(answers, values);
  const conditions = Object.assign(
    scopeDefinitions('', catalogue.entries, catalogue, values),
    ...catalogue.entries.map((entry) => scopeDefinitions(`.${entry.eventType}`, [entry], catalogue, values)),
  ) as Record<string, Schema>;
  return {
    ...COMMON,
    'fact.lookup': answers.length > 0 ? choices(answers.map((fact) => [fact.name, describe(fact)])) : false,
    'condition.lookup': special.length > 0 ? { allOf: special } : {},
    ...values.all,
    ...conditions,
  };
}

/** A look-up's whole answer and what it holds, by the dots of their names; of lists, not what stands in them. */
function membersOf(name: string, field: FieldDefinition): readonly KnownFact[] {
  const below = Object.entries(field.fields ?? {});
  return [
    { name, readings: [{ entry: null, field }] },
    ...below.flatMap(([key, member]) => membersOf(`${name}.${key}`, member)),
  ];
}

const SEGMENT = String.raw`(?:\.[\p{L}_$][\p{L}\p{N}_$-]*|\[\d{1,9}\]|\['(?:[^'\\]|\\.)*'\]|\["(?:[^"\\]|\\.)*"\])`;
const PLAIN_PATH = String.raw`^(?:\$${SEGMENT}+|(?=\[)${SEGMENT}+|[\p{L}_][\p{L}\p{N}_$-]*${SEGMENT}*)$`;

const GROUPS = ['all', 'any', 'not', 'condition'];
/** One of `all`, `any`, `not`, `condition` on a level, or a comparison. */
const FORM: readonly Schema[] = [
  ...GROUPS.map((key) => ({
    if: has(key),
    then: {
      propertyNames: {
        enum: [key, 'name', 'priority'],
        errorMessage: `不能与 "${key}" 并列，请嵌套 / cannot stand beside "${key}": nest one within the other`,
      },
    },
  })),
  {
    if: { not: { anyOf: GROUPS.map((key) => has(key)) } },
    then: has('fact', 'operator', 'value'),
  },
];

const VALUE_KINDS: Readonly<Record<Exclude<OperatorDefinition['value'], 'any'>, Schema>> = {
  list: { type: 'array' },
  number: { type: ['number', 'string'] },
  string: { type: 'string' },
  pattern: { type: 'string', maxLength: 1000 },
  time: { type: 'string', pattern: String.raw`^\d{4}-\d\d-\d\d` },
  duration: { type: 'string', pattern: String.raw`^(?:\d+(?:ms|s|m|h|d)|P[\dDTHMS]+)$` },
  boolean: { type: 'boolean' },
};
/** What each operator takes, whatever the fact. */
const OPERANDS: readonly Schema[] = Object.entries(VALUE_KINDS).map(([kind, schema]) => ({
  if: operatorIs(...OPERATORS.filter(({ value }) => value === kind).map(({ name }) => name)),
  then: { properties: { value: kind === 'boolean' ? schema : { anyOf: [schema, refer('indirect')] } } },
}));

const BASES = OPERATORS.map(({ name }) => name).join('|');
const LEAF = { fact: '${1:status}', operator: '${2:equal}', value: '^$3' };

/** What conditions of all event types have in common. */
const COMMON: Readonly<Record<string, Schema>> = {
  operator: {
    description: '运算符 / operator',
    anyOf: [
      choices(OPERATORS.map(({ name, label }) => [name, bilingual(label)])),
      {
        type: 'string',
        pattern: `^(?:(?:${DECORATORS.map(({ name }) => name).join('|')}):)+(?:${BASES})$`,
        patternErrorMessage: `没有这个运算符，前缀可用： / there is no such operator; decorators are: ${DECORATORS.map(({ name, label }) => `${name}: (${bilingual(label)})`).join(', ')}`,
      },
    ],
  },
  path: {
    description: '事实内的路径 / a path into the fact, like $.a.b[0]',
    type: 'string',
    pattern: PLAIN_PATH,
    patternErrorMessage: '须为 $.a.b[0] 这样的路径 / must be a plain path like $.a.b[0]',
  },
  name: { description: '名称，用于解释 / a name, shown in explanations', type: 'string' },
  priority: { description: '优先级 / priority, as in json-rules-engine', type: 'integer', minimum: 1 },
  named: {
    description: '命名条件 / a named condition of a *.conditions.json',
    type: 'string',
    minLength: 1,
  },
  indirect: { type: 'object', anyOf: [has('fact'), has('literal')] },
  form: {
    allOf: [...FORM, ...OPERANDS],
    defaultSnippets: [
      { label: '条件 / condition', body: LEAF },
      { label: 'all (全部成立)', body: { all: [LEAF] } },
      { label: 'any (任一成立)', body: { any: [LEAF] } },
      { label: 'not (不成立)', body: { not: LEAF } },
    ],
  },
};

/** Facts, references and conditions of one event type, or (with an empty suffix) of all. */
function scopeDefinitions(
  suffix: string,
  entries: readonly CatalogueEntry[],
  catalogue: Catalogue,
  values: ValueDefinitions,
): Record<string, Schema> {
  const facts = factsOf(entries, catalogue);
  const condition = refer(`condition${suffix}`);
  const group: Schema = { type: 'array', minItems: 1, items: condition };
  return {
    [`fact${suffix}`]: {
      description: '事实 / fact',
      anyOf: [
        choices(facts.map((fact) => [fact.name, describe(fact)])),
        refer('fact.lookup'),
        { type: 'string', minLength: 1, maxLength: 200 },
      ],
    },
    [`reference${suffix}`]: {
      type: 'object',
      properties: { fact: refer(`fact${suffix}`), path: refer('path') },
      required: ['fact'],
      additionalProperties: false,
    },
    [`condition${suffix}`]: {
      type: 'object',
      properties: {
        all: { description: '全部成立 / all of them', ...group },
        any: { description: '任一成立 / at least one of them', ...group },
        not: { description: '不成立 / not this', ...condition },
        condition: refer('named'),
        fact: refer(`fact${suffix}`),
        operator: refer('operator'),
        value: {
          description: '与事实比较的值，或另一个事实 / what the fact is compared with, or another fact',
          defaultSnippets: [{ label: '另一个事实 / another fact', body: { fact: '$1' } }],
          if: { type: 'object', ...has('fact') },
          then: refer(`reference${suffix}`),
        },
        path: refer('path'),
        name: refer('name'),
        priority: refer('priority'),
      },
      additionalProperties: false,
      allOf: [refer('form'), refer('condition.lookup'), ...specialise(facts, values)],
    },
  };
}

function factsOf(entries: readonly CatalogueEntry[], catalogue: Catalogue): readonly KnownFact[] {
  const readings = new Map<string, KnownFact['readings']>();
  for (const entry of entries) {
    for (const [name, field] of Object.entries(entry.fields)) {
      const fact = field.fact ?? name;
      readings.set(fact, [...(readings.get(fact) ?? []), { entry, field }]);
    }
  }
  for (const [name, field] of Object.entries(ENVELOPE_FIELDS)) {
    const types = catalogue.entries.map(({ eventType, label }) => ({ value: eventType, label }));
    readings.set(name, [{ entry: null, field: name === 'event_type' ? { ...field, enum: types } : field }]);
  }
  for (const name of STATE_FACTS) {
    const known = entries.flatMap((entry) => {
      const field = stateFieldOf(catalogue, entry, name);
      return field ? [{ entry, field }] : [];
    });
    // Those of the clock are the same for every event.
    const field = stateFieldOf(catalogue, null, name);
    const alike = field !== null && known.every((one) => one.field === field);
    if (known.length > 0) readings.set(name, alike ? [{ entry: null, field }] : known);
  }
  return [...readings].map(([name, list]) => ({ name, readings: list }));
}

/** `状态 / status`, and what an author should know before using it. */
function describe({ readings }: KnownFact): string {
  const labels = new Set(
    readings.map(({ field }) => {
      const marks = [
        field.type,
        ...(field.format ? [field.format] : []),
        ...(field.optional ? ['可能缺失 may be missing'] : []),
        ...(field.newer ? ['较新 newer'] : []),
        ...(field.deprecated ? ['已废弃 deprecated'] : []),
        ...(field.personal ? ['个人信息 personal'] : []),
      ];
      return `${bilingual(field.label)} (${marks.join(', ')})`;
    }),
  );
  return [...labels].join('\n');
}

/** What the value and the path may be when a condition is about one of these facts. */
function specialise(facts: readonly KnownFact[], values: ValueDefinitions): Schema[] {
  const byValues = new Map<string, string[]>();
  for (const fact of facts) {
    const definition = values.of(fact);
    if (definition !== null) byValues.set(definition, [...(byValues.get(definition) ?? []), fact.name]);
  }
  const withMembers = facts.flatMap(({ name, readings }) => {
    const members = readings.flatMap(({ field }) => Object.entries(field.fields ?? {}));
    const paths = new Map(members.map(([member, { label }]) => [`$.${member}`, bilingual(label)]));
    const path = { anyOf: [choices([...paths]), { type: 'string' }] };
    return paths.size === 0 ? [] : [{ if: about([name]), then: { properties: { path } } }];
  });
  return [
    ...[...byValues].map(([definition, names]) => ({
      if: { ...about(names), not: has('path') },
      then: refer(definition),
    })),
    ...withMembers,
  ];
}

const about = (names: readonly string[]): Schema => ({
  properties: { fact: { enum: names } },
  ...has('fact'),
});

const NUMBER_OPERATORS = OPERATORS.filter(({ value }) => value === 'number').map(({ name }) => name);

/** What values of facts may be: one definition for all facts that have the same values. */
class ValueDefinitions {
  readonly all: Record<string, Schema> = {};
  private readonly names = new Map<string, string>();

  /** The definition of what a condition about this fact may compare it with; null: with anything. */
  of(fact: KnownFact): string | null {
    const types = valueTypes(fact);
    if (!types) return null;
    const labelled = labelledValues(fact);
    const one: Schema = { anyOf: [...(labelled.length > 0 ? [choices(labelled)] : []), { type: types }] };
    const key = JSON.stringify(one);
    const known = this.names.get(key);
    if (known !== undefined) return known;
    const [first, ...others] = fact.readings;
    const owner = first?.entry && others.length === 0 ? `${first.entry.eventType}.` : '';
    let name = labelled.length === 0 ? types.join('-') : `${owner}${fact.name}`;
    // Facts may have any name, also one that is taken.
    while (`values.${name}` in this.all) name += '_';
    this.names.set(key, `values.${name}`);
    this.define(name, one, types.includes('string') ? ['number', 'string', 'object'] : ['number', 'object']);
    return `values.${name}`;
  }

  private define(name: string, one: Schema, comparable: readonly string[]): void {
    const when = (operators: readonly string[], value: Schema): Schema => ({
      if: operatorIs(...operators),
      then: { properties: { value } },
    });
    const element = refer(`value.${name}`);
    // Whole objects and lists are never found equal, but the loader only warns of them.
    const compound = { type: ['object', 'array'] };
    this.all[`value.${name}`] = one;
    this.all[`values.${name}`] = {
      allOf: [
        when(['equal', 'notEqual'], { anyOf: [element, compound] }),
        when(['in', 'notIn'], {
          anyOf: [{ type: 'array', items: { anyOf: [element, compound] } }, { type: 'object' }],
        }),
        when(NUMBER_OPERATORS, { type: comparable }),
      ],
    };
  }
}

/** The JSON types of the fact's values; null: it is compared as a whole only by chance, so anything goes. */
function valueTypes({ readings }: KnownFact): string[] | null {
  const types = new Set(['null']);
  for (const { field } of readings) {
    if (field.type === 'object' || field.type === 'array') return null;
    types.add(field.type);
    // Feishu writes the same time as a text and as a number.
    if (field.type === 'string' && field.format?.startsWith('epoch')) types.add('number');
  }
  return [...types];
}

/** The known values. One that means different things in different event types is described with each of them. */
function labelledValues({ readings }: KnownFact): [string | number, string][] {
  const meanings = new Map<string | number, Map<string, string[]>>();
  for (const { entry, field } of readings) {
    for (const { value, label, newer } of field.enum ?? []) {
      const texts = meanings.get(value) ?? new Map<string, string[]>();
      const text = `${bilingual(label)}${newer ? ' (较新 newer)' : ''}`;
      texts.set(text, [...(texts.get(text) ?? []), ...(entry ? [entry.eventType] : [])]);
      meanings.set(value, texts);
    }
  }
  return [...meanings].map(([value, texts]) => [
    value,
    texts.size === 1
      ? [...texts.keys()].join('')
      : [...texts].map(([text, types]) => `${text}: ${types.join(', ')}`).join('\n'),
  ]);
}
