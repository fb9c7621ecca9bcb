import type { RuleFiles } from '../../src/rules/rule-compiler.js';
import { EVERY_GATE } from './every-gate.js';

export type Document = Readonly<Record<string, unknown>>;

/** A rule set as data. */
export interface RuleDocuments {
  readonly rules: readonly Document[];
  /** Of `lookups.json`. */
  readonly lookups: Document;
}

const TYPE = 'corehr.process.approver.updated_v2';
const leaf = (fact: string, operator: string, value: unknown): Document => ({ fact, operator, value });
const http = (name: string, body: unknown, more: Document = {}): Document => ({
  type: 'http',
  name,
  url: 'https://b.example/{{ event.process_id }}',
  body,
  ...more,
});
const rule = (name: string, conditions: readonly Document[], more: Document): Document => ({
  name,
  owner: 'people-ops',
  trigger: TYPE,
  conditions: { all: conditions },
  ...more,
});

/** Rules that need answers from outside, before they are decided or before a step. */
const ASKING: readonly Document[] = [
  rule('graded', [leaf('status', 'equal', 3), leaf('lookup.person.grade', 'greaterThan', 2)], {
    actions: [http('tell', { grade: '{{ lookup.person.grade }}', task: '{{ event.approver_id }}' })],
  }),
  rule('named', [leaf('status', 'in', [1, 2])], {
    actions: [http('tell', { who: '{{ lookup.person.name }}' }), http('plain', '{{ event.status }}')],
  }),
  rule('of-unit', [leaf('status', 'equal', 3), leaf('lookup.unit.open', 'equal', true)], {
    oncePer: 'task',
    actions: [http('tell', { unit: '{{ lookup.unit.title | default: "?" }}' })],
  }),
  rule('nag-boss', [leaf('status', 'equal', 1)], {
    escalate: {
      per: 'task',
      confirm: true,
      steps: [
        {
          name: 'early',
          after: '5h',
          actions: [http('tell', { boss: '{{ lookup.person.boss | default: "–" }}' })],
        },
        { name: 'late', after: '26h', actions: [http('tell', { now: '{{ now }}' })] },
      ],
    },
  }),
  rule('nag-quietly', [leaf('status', 'equal', 1)], {
    escalate: {
      per: 'process',
      calendar: 'cn',
      steps: [{ name: 'work', after: '6 work hours', actions: [http('tell', '{{ event.process_id }}')] }],
    },
  }),
];

const LOOKUPS: Document = {
  user: { type: 'feishu-user', id: '{{ event.approver_id }}' },
  person: { type: 'http', url: 'http://127.0.0.1/person/{{ event.approver_id }}' },
  unit: { type: 'http', url: 'http://127.0.0.1/unit/{{ event.process_id }}', cache: '2h' },
};

/** All rules there are to choose from, with their receivers at a port of this machine. */
export function truthDocuments(port: number): RuleDocuments {
  const here = (value: unknown): unknown => {
    if (typeof value === 'string')
      return (
        value
          .replace(/https:\/\/(\w+)\.example/g, `http://$1.test:${port}`)
          .replace('//127.0.0.1/', `//127.0.0.1:${port}/`)
          // As a list, the items hold the look-ups of all rules: what another rule asks would be a change of this one.
          .replace(/^\{\{ items \}\}$/, 'Items: {{ items }}')
      );
    if (Array.isArray(value)) return value.map(here);
    if (typeof value !== 'object' || value === null) return value;
    const all = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, here(one)]));
    // By this the receiver knows who has sent it.
    return all['type'] === 'http' && 'name' in all
      ? { ...all, headers: { 'x-service': '{{ secrets.SERVICE }}' } }
      : all;
  };
  const rules = [...(EVERY_GATE as readonly Document[]), ...ASKING].map((one) => here(one) as Document);
  return { rules, lookups: here(LOOKUPS) as Document };
}

/** What the look-ups by HTTP are answered: of a path always the same; null: there is nothing there. */
export function truthAnswer(path: string): unknown {
  const [, kind, id = ''] = path.split('/');
  let number = 7;
  for (const one of Buffer.from(id)) number = (number * 31 + one) >>> 0;
  if (number % 7 === 0) return null;
  return kind === 'person'
    ? { name: `N ${id}`, grade: number % 5, ...(number % 3 === 0 ? {} : { boss: `B ${number % 4}` }) }
    : { open: number % 2 === 0, ...(number % 3 === 0 ? {} : { title: `U ${id}` }) };
}

export function filesOf({ rules, lookups }: RuleDocuments): RuleFiles {
  return new Map([
    ...rules.map((one, index) => [`${index}.rule.json`, JSON.stringify(one, null, 2)] as const),
    ['lookups.json', JSON.stringify(lookups, null, 2)] as const,
  ]);
}
