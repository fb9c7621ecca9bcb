import { Engine, type TopLevelCondition } from 'json-rules-engine';
import {
  type ConditionDocument,
  type LeafDocument,
  referenceIn,
} from '../../src/rules/condition-document.js';
import { addOperators, documentForEngine } from '../../src/rules/confirmation.js';
import { OPERATORS } from '../../src/rules/operators.js';

const formatOf = (): 'date-time' => 'date-time';

/**
 * json-rules-engine as it is: its own operators, decorators and JSONPath. Only the operators that it has not got are
 * added. Answers what it says, or that it throws.
 */
export async function askEngine(
  document: ConditionDocument,
  named: Readonly<Record<string, ConditionDocument>>,
  facts: ReadonlyMap<string, unknown>,
  now: number,
): Promise<boolean | 'throws'> {
  const engine = new Engine([], { allowUndefinedFacts: true });
  // What it has not got comes from the product; then whatever replaced its own is taken back.
  const own = new Engine();
  addOperators(engine);
  const operatorsOf = (one: Engine): { operators: Map<string, unknown>; decorators: Map<string, unknown> } =>
    (one as unknown as { operators: { operators: Map<string, unknown>; decorators: Map<string, unknown> } })
      .operators;
  for (const { name, origin } of OPERATORS) {
    if (origin === 'json-rules-engine')
      operatorsOf(engine).operators.set(name, operatorsOf(own).operators.get(name));
  }
  for (const [name, decorator] of operatorsOf(own).decorators)
    operatorsOf(engine).decorators.set(name, decorator);
  for (const [name, one] of Object.entries(named))
    engine.setCondition(name, rooted(documentForEngine(one, formatOf)));
  engine.addRule({ conditions: rooted(documentForEngine(document, formatOf)), event: { type: 'matched' } });
  engine.addFact('\u0000instant', ({ back }: { back?: number }) => now - (back ?? 0));
  try {
    const { results } = await engine.run(Object.fromEntries(facts));
    return results.length > 0;
  } catch {
    return 'throws';
  }
}

/** The leaves of a document, the named conditions put in their places. */
export function leavesOf(
  document: ConditionDocument,
  named: Readonly<Record<string, ConditionDocument>>,
): readonly LeafDocument[] {
  if ('condition' in document) return leavesOf(named[document.condition]!, named);
  if ('not' in document) return leavesOf(document.not, named);
  if ('all' in document) return document.all.flatMap((one) => leavesOf(one, named));
  if ('any' in document) return document.any.flatMap((one) => leavesOf(one, named));
  return [document];
}

/** Places that a leaf reads. */
export function placesOf(leaf: LeafDocument): readonly { fact: string; path?: string | undefined }[] {
  const other = referenceIn(leaf.value);
  return other ? [leaf, other] : [leaf];
}

function rooted(document: object): TopLevelCondition {
  return ('fact' in document ? { all: [document] } : document) as TopLevelCondition;
}
