import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CatalogueEntry, loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { CATALOGUE_ENTRY } from '../../src/events/catalogue-schema.js';
import { foldDrift, misfitsOf, MOST_MISFITS } from '../../src/events/drift.js';

const label = (text: string) => ({ zh: text, en: text });
const VISIT = {
  eventType: 'hr.visit_v1',
  label: label('visit'),
  entities: {},
  fields: {
    visit_id: { type: 'string', label: label('visit') },
    floor: { type: 'integer', label: label('floor') },
    badge: { type: 'boolean', label: label('badge'), optional: true },
    gate: { type: 'string', label: label('gate'), newer: true },
    status: {
      type: 'integer',
      label: label('status'),
      enum: [
        { value: 1, label: label('open') },
        { value: 2, label: label('done') },
      ],
    },
    grade: {
      type: 'string',
      label: label('grade'),
      personal: true,
      optional: true,
      enum: [{ value: 'a', label: label('A') }],
    },
    contact: {
      type: 'object',
      label: label('contact'),
      optional: true,
      fields: { city: { type: 'string', label: label('city') } },
    },
    home: {
      type: 'object',
      label: label('home'),
      optional: true,
      personal: true,
      fields: {
        kind: { type: 'string', label: label('kind'), enum: [{ value: 'flat', label: label('flat') }] },
      },
    },
    guests: {
      type: 'array',
      label: label('guests'),
      optional: true,
      items: {
        type: 'object',
        label: label('guest'),
        fields: { age: { type: 'number', label: label('age') } },
      },
    },
  },
} as const satisfies CatalogueEntry;
const GOOD = { visit_id: 'v', floor: 3, status: 1 };

const misfits = (
  fields: Record<string, unknown>,
  entry: CatalogueEntry | null = VISIT,
  origin = 'feishu:a',
) => misfitsOf(entry, { origin, fields: new Map(Object.entries(fields)) });

describe('what does not fit the catalogue', () => {
  it('is nothing of an event as the catalogue describes it', () => {
    expect(CATALOGUE_ENTRY.safeParse(VISIT).success).toBe(true);
    expect(misfits(GOOD)).toEqual([]);
    expect(
      misfits({ ...GOOD, badge: null, gate: 'north', grade: 'a', contact: { city: 'Hangzhou' }, guests: [] }),
    ).toEqual([]);
  });

  it.each([
    [
      'a field that it does not know',
      { extra: 'secret' },
      { kind: 'unknown field', field: 'extra', label: null },
    ],
    [
      'one in an object',
      { contact: { city: 'x', street: 'y' } },
      { kind: 'unknown field', field: 'contact.street' },
    ],
    ['a value of an enum', { status: 18 }, { kind: 'unknown value', field: 'status', value: '18' }],
    [
      'a personal one, but not which',
      { grade: 'canary' },
      { kind: 'unknown value', field: 'grade', value: null },
    ],
    [
      'one within something personal',
      { home: { kind: 'canary' } },
      { kind: 'unknown value', field: 'home.kind', value: null },
    ],
    [
      'a name within it, but not which',
      { home: { kind: 'flat', canary: 1 } },
      { kind: 'unknown field', field: 'home.*' },
    ],
    ['a text for a number', { floor: '3' }, { kind: 'wrong type', field: 'floor', label: label('floor') }],
    ['a number for a text', { visit_id: 7 }, { kind: 'wrong type', field: 'visit_id', value: null }],
    ['null for what is always there', { visit_id: null }, { kind: 'wrong type', field: 'visit_id' }],
    ['a fraction for an integer', { floor: 1.5 }, { kind: 'wrong type', field: 'floor' }],
    ['a list for an object', { contact: [] }, { kind: 'wrong type', field: 'contact' }],
    [
      'an element of a list',
      { guests: [{ age: 'old' }, { age: 'x' }] },
      { kind: 'wrong type', field: 'guests[].age' },
    ],
    [
      'a field that is missing',
      { floor: undefined },
      { kind: 'missing field', field: 'floor', label: label('floor') },
    ],
    ['a member that is missing', { contact: {} }, { kind: 'missing field', field: 'contact.city' }],
  ])('is %s', (_, changes, expected) => {
    const found = misfits({ ...GOOD, ...changes });
    expect(found).toEqual([expect.objectContaining(expected)]);
    expect(JSON.stringify(found)).not.toMatch(/canary|secret/);
  });

  it('is no unknown field where the catalogue says that there are more', () => {
    expect(
      misfits({ ...GOOD, extra: 1, contact: { city: 'x', street: 'y' } }, { ...VISIT, more: true }),
    ).toEqual([]);
  });

  it('is a type that it does not know, of Feishu alone', () => {
    expect(misfits(GOOD, null)).toEqual([{ kind: 'unknown type', field: null, label: null, value: null }]);
    expect(misfits(GOOD, null, 'webhook:shop')).toEqual([]);
  });

  it('is no long integer that is read as a text to keep its digits', () => {
    expect(misfits({ ...GOOD, floor: '7072306364927985196' })).toEqual([]);
  });

  it('is told as far as it is bounded: a crowd of unknown names hides nothing that is known', () => {
    const crowd = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`x${n}`, n]));
    const found = misfits({ ...crowd, ...GOOD, status: 9 });
    expect(found).toHaveLength(MOST_MISFITS);
    expect(found[0]).toMatchObject({ kind: 'unknown value', field: 'status' });
    const [long] = misfits({ ...GOOD, ['n'.repeat(10_000)]: 1 });
    expect(long?.field).toHaveLength(100);
  });

  it('is nothing of the samples of the catalogue that ships with the product', () => {
    for (const entry of loadBuiltInCatalogue().entries)
      if (entry.sample)
        expect([entry.eventType, misfits(entry.sample, entry)]).toEqual([entry.eventType, []]);
  });

  it('never throws, never tells a value that is not of an enum, and takes any value at all', () => {
    const value = fc.anything({ maxDepth: 3, withBigInt: false });
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...Object.keys(VISIT.fields), '__proto__', 'toString', 'x'), value),
        (fields) => {
          const found = misfits(fields);
          for (const one of found) {
            expect(one.value === null || one.kind === 'unknown value').toBe(true);
            expect(one.value === null || one.field === 'status').toBe(true);
          }
          expect(new Set(found.map((one) => JSON.stringify(one))).size).toBe(found.length);
          expect(() => JSON.stringify(found)).not.toThrow();
        },
      ),
    );
  });

  it('finds each change that is made to a good event, and only that', () => {
    const change = fc.oneof(
      fc.record({ kind: fc.constant('unknown field' as const), name: fc.string({ minLength: 1 }) }),
      fc.record({ kind: fc.constant('unknown value' as const), value: fc.integer({ min: 3 }) }),
      fc.record({
        kind: fc.constant('wrong type' as const),
        value: fc.constantFrom('1', true, null, [], {}),
      }),
      fc.record({
        kind: fc.constant('missing field' as const),
        name: fc.constantFrom('visit_id', 'floor', 'status'),
      }),
    );
    fc.assert(
      fc.property(change, (one) => {
        const fields: Record<string, unknown> = { ...GOOD };
        if (one.kind === 'unknown field') {
          fc.pre(!Object.hasOwn(VISIT.fields, one.name) && one.name !== '__proto__');
          fields[one.name] = 1;
        } else if (one.kind === 'unknown value') fields['status'] = one.value;
        else if (one.kind === 'wrong type') fields['floor'] = one.value;
        else Reflect.deleteProperty(fields, one.name);
        expect(misfits(fields).map(({ kind }) => kind)).toEqual([one.kind]);
      }),
    );
  });
});

describe('the drift of several events', () => {
  const misfit = (field: string) => ({ kind: 'unknown field', field, label: null, value: null }) as const;

  it('counts events, the most frequent first, and names the latest of them', () => {
    const events = [
      { id: '3', eventType: 't', misfits: [misfit('a'), misfit('b')] },
      { id: '2', eventType: 't', misfits: [] },
      { id: '1', eventType: 't', misfits: [misfit('b')] },
      { id: '0', eventType: 'other', misfits: [misfit('b')] },
    ];
    expect(foldDrift(events, 2)).toEqual([
      { eventType: 't', ...misfit('b'), count: 2, eventId: '3' },
      { eventType: 'other', ...misfit('b'), count: 1, eventId: '0' },
    ]);
  });

  it('has of each misfit as many as there are events with it', () => {
    const event = fc.record({
      id: fc.uuid(),
      eventType: fc.constantFrom('a', 'b'),
      misfits: fc.uniqueArray(fc.constantFrom('x', 'y', 'z').map(misfit), { selector: ({ field }) => field }),
    });
    fc.assert(
      fc.property(fc.array(event), (events) => {
        const rows = foldDrift(events, 1000);
        for (const { eventType, field, count } of rows)
          expect(count).toBe(
            events.filter(
              (one) => one.eventType === eventType && one.misfits.some((its) => its.field === field),
            ).length,
          );
        expect(rows.reduce((sum, { count }) => sum + count, 0)).toBe(
          events.reduce((sum, one) => sum + one.misfits.length, 0),
        );
      }),
    );
  });
});
