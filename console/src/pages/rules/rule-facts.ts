import type { Findings, SaidRules } from '../../api/types.js';

/** As the API answers it. */
export type Finding = Findings['findings'][number];

type Document = SaidRules['rules'][number]['document'];

function asRecord(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : null;
}

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const asText = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** What a list shows of a rule's document, which is any JSON as far as its type goes. */
export interface RuleFacts {
  /** How many actions of each kind, those of escalation steps too. */
  readonly kinds: readonly (readonly [kind: string, count: number])[];
  readonly steps: number;
  readonly digest: boolean;
  /** As cron has it. */
  readonly schedule: string | null;
}

export function factsOf(document: Document): RuleFacts {
  const steps = asList(asRecord(document['escalate'])?.['steps']);
  const actions = [
    ...asList(document['actions']),
    ...steps.flatMap((step) => asList(asRecord(step)?.['actions'])),
  ];
  const kinds = new Map<string, number>();
  for (const action of actions) {
    const kind = asText(asRecord(action)?.['type']);
    if (kind !== null) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return {
    kinds: [...kinds],
    steps: steps.length,
    digest: document['digest'] !== undefined,
    schedule: asText(asRecord(document['schedule'])?.['schedule']),
  };
}

/** The rule as it is written; where it stands is told elsewhere. */
export function documentText(document: Document): string {
  const written = Object.entries(document).filter(([key]) => key !== 'file' && key !== 'line');
  return JSON.stringify(Object.fromEntries(written), null, 2);
}

export type SeverityCounts = Readonly<Record<Finding['severity'], number>>;

export function countsOf(findings: readonly Finding[]): SeverityCounts {
  const count = (severity: Finding['severity']): number =>
    findings.filter((one) => one.severity === severity).length;
  return { error: count('error'), warning: count('warning'), info: count('info') };
}

/** Those of a rule: by its name, else by its file. */
export function findingsOf(
  { name, file }: { readonly name: string; readonly file: string },
  findings: readonly Finding[],
): readonly Finding[] {
  return findings.filter((one) => (one.rule === undefined ? one.file === file : one.rule === name));
}

/** As much of a hash as tells sets apart: the same as the command line shows. */
export function shortHash(hash: string): string {
  return hash.slice(0, 12);
}
