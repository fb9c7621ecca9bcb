// Pure; nothing is faked.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CatalogueEntry, loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { readEnvelope } from '../../../src/events/envelope.js';
import { factsOfBody } from '../../../src/events/event-facts.js';
import type { Model } from '../../../src/rules/analysis/answer.js';
import { FactSpace, USUAL_NOW } from '../../../src/rules/analysis/fact-space.js';
import { findModel } from '../../../src/rules/analysis/find-model.js';
import { factsOfWitness, nowOfWitness, witnessOf } from '../../../src/rules/analysis/witness-event.js';
import type { LeafDocument } from '../../../src/rules/condition-document.js';
import { buildTree } from '../../../src/rules/condition-tree.js';
import type { Witness } from '../../../src/rules/finding.js';
import { fieldOfFact } from '../../../src/rules/state/fact-fields.js';

const seed = Number(process.env['FC_SEED'] ?? Date.now());
const catalogue = loadBuiltInCatalogue();
const known = {
  catalogue,
  lookups: new Map(),
  fieldOf: (type: string, fact: string) => fieldOfFact(catalogue, type, fact),
};
const APPROVER = 'corehr.process.approver.updated_v2';

function modelOf(
  eventType: string,
  leaves: readonly LeafDocument[],
  options: ConstructorParameters<typeof FactSpace>[2] = {},
): Model {
  const formatOf = (fact: string) => known.fieldOf(eventType, fact)?.format ?? 'date-time';
  const tree = buildTree({ all: leaves }, new Map(), formatOf);
  const answer = findModel([{ tree, want: 'yes' }], new FactSpace(known, eventType, options), {
    steps: 50_000,
  });
  if (answer.answer !== 'yes') throw new Error(JSON.stringify([leaves, answer]));
  return answer.model;
}

function roundTrip(eventType: string, model: Model): Witness {
  const witness = JSON.parse(JSON.stringify(witnessOf(model, known, eventType))) as Witness;
  const byName = (facts: ReadonlyMap<string, unknown>): unknown =>
    Object.fromEntries([...facts].sort(([a], [b]) => (a < b ? -1 : 1)));
  expect(byName(factsOfWitness(witness))).toEqual(byName(model.facts));
  expect(nowOfWitness(witness)).toBe(model.now);
  return witness;
}

/** A condition that the sample does not meet; of a field that has one value, one that it does. */
function otherThan({ eventType }: CatalogueEntry, fact: string): LeafDocument {
  const usual = new FactSpace(known, eventType).usual(fact);
  if (fact === 'type' || known.fieldOf(eventType, fact)?.enum?.length === 1)
    return { fact, operator: 'equal', value: usual };
  return {
    fact,
    operator: 'notEqual',
    value: usual === undefined || typeof usual === 'object' ? 'x' : usual,
  };
}

describe('the event of a model', () => {
  it('makes the facts of the model, for every event type and any of its fields', () => {
    const entries = fc.constantFrom(...catalogue.entries);
    const seen = { events: 0, types: new Set<string>() };
    fc.assert(
      fc.property(entries, fc.array(fc.nat(20), { maxLength: 4 }), (entry, numbers) => {
        const names = Object.entries(entry.fields).map(([name, field]) => field.fact ?? name);
        const facts = [...new Set(numbers.map((at) => names[at % names.length] ?? ''))];
        const witness = roundTrip(
          entry.eventType,
          modelOf(
            entry.eventType,
            facts.map((fact) => otherThan(entry, fact)),
          ),
        );
        expect(readEnvelope(witness.event)).toMatchObject({ eventType: entry.eventType });
        seen.events += 1;
        seen.types.add(entry.eventType);
      }),
      { seed, numRuns: 500 },
    );
    process.stdout.write(`witness-event: ${seen.events} events of ${seen.types.size} types\n`);
    expect(seen.types.size).toBe(catalogue.entries.length);
  });

  it('is as Feishu sends it', () => {
    const model = modelOf(APPROVER, [
      { fact: 'status', operator: 'equal', value: 3 },
      { fact: 'biz_type', operator: 'equal', value: 'onboarding' },
    ]);
    expect(roundTrip(APPROVER, model)).toEqual({
      event: {
        schema: '2.0',
        header: {
          event_id: 'case-1',
          event_type: APPROVER,
          create_time: '1767574800000',
          token: '',
          app_id: 'cli_case',
          tenant_key: 'case',
        },
        event: { ...catalogue.find(APPROVER)?.sample, status: 3, biz_type: 'onboarding' },
      },
    });
  });

  it('is of the older envelope where the type is', () => {
    const model = modelOf('approval_instance', [{ fact: 'status', operator: 'equal', value: 'APPROVED' }]);
    expect(roundTrip('approval_instance', model)).toEqual({
      event: {
        uuid: 'case-1',
        ts: '1767574800000',
        token: '',
        type: 'event_callback',
        event: { ...catalogue.find('approval_instance')?.sample, status: 'APPROVED' },
      },
    });
  });

  it('leaves to facts what no event makes', () => {
    const model = modelOf(APPROVER, [
      { fact: 'task.transition', operator: 'equal', value: '1>3' },
      { fact: 'node.pending', operator: 'equal', value: 0 },
      { fact: 'source', operator: 'equal', value: 'reconcile' },
      { fact: 'event_id', operator: 'startsWith', value: 'not an id' },
      { fact: 'app_id', operator: 'equal', value: null },
    ]);
    const witness = roundTrip(APPROVER, model);
    expect(witness.event).toMatchObject({ header: { app_id: null }, event: { status: 3 } });
    expect(witness.facts).toEqual({
      event_id: 'not an id',
      source: 'reconcile',
      'task.previousStatus': 1,
      'task.transition': '1>3',
      'node.pending': 0,
    });
  });

  it('names what must be missing though an event has it', () => {
    const model = modelOf(APPROVER, [{ fact: 'create_time', operator: 'exists', value: false }], {
      optional: true,
    });
    expect(roundTrip(APPROVER, model).missing).toEqual(['create_time']);
  });

  it('says the time that is counted from when it matters', () => {
    const leaves = [
      { fact: 'create_time', operator: 'before', value: '2024-01-01T00:00:00Z' },
      { fact: 'create_time', operator: 'newerThan', value: '1d' },
    ];
    const witness = roundTrip(APPROVER, modelOf(APPROVER, leaves));
    expect(Date.parse(witness.now ?? '')).toBeLessThan(Date.UTC(2024, 0, 2));
    expect(nowOfWitness({ event: {} })).toBe(USUAL_NOW);
  });

  it('is no event when nothing says its id', () => {
    expect(() => factsOfBody({ schema: '2.0', header: {}, event: {} }, 'feishu-webhook')).toThrow(
      'this is no event',
    );
  });
});
