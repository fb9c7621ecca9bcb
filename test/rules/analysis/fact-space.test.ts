// Pure; the conditions themselves are asked, nothing is faked.
import { describe, expect, it } from '@jest/globals';
import { loadBuiltInCatalogue } from '../../../src/events/catalogue.js';
import { FactSpace, type FactSpaceOptions } from '../../../src/rules/analysis/fact-space.js';
import { findModel } from '../../../src/rules/analysis/find-model.js';
import type { ConditionDocument } from '../../../src/rules/condition-document.js';
import { buildTree } from '../../../src/rules/condition-tree.js';
import { fieldOfFact } from '../../../src/rules/state/fact-fields.js';

const catalogue = loadBuiltInCatalogue();
const known = {
  catalogue,
  lookups: new Map(),
  fieldOf: (type: string, fact: string) => fieldOfFact(catalogue, type, fact),
};
const APPROVER = 'corehr.process.approver.updated_v2';
const COMMENT = 'corehr.process_comment_info.updated_v2';

/** Whether there is an event with which the conditions hold. */
function can(
  document: ConditionDocument,
  type: string | null = APPROVER,
  options: FactSpaceOptions = {},
): string {
  const formatOf = (fact: string) => known.fieldOf(type ?? '', fact)?.format ?? 'date-time';
  const tree = buildTree(document, new Map(), formatOf);
  return findModel([{ tree, want: 'yes' }], new FactSpace(known, type, options), { steps: 50_000 }).answer;
}

const leaf = (fact: string, operator: string, value: unknown): ConditionDocument => ({
  fact,
  operator,
  value,
});

describe('what facts may be', () => {
  it.each<[string, 'yes' | 'no', ConditionDocument, (string | null)?, FactSpaceOptions?]>([
    ['a value of the enum', 'yes', leaf('status', 'equal', 18)],
    ['no other', 'no', leaf('status', 'equal', 5)],
    ['not two at once', 'no', { all: [leaf('status', 'equal', 2), leaf('status', 'equal', 3)] }],
    ['some other text', 'yes', leaf('biz_type', 'notIn', ['renewal_record', 'other', 'other-1'])],
    ['missing where it is optional', 'yes', leaf('node_id_str', 'exists', false)],
    ['not missing elsewhere', 'no', leaf('node_id', 'exists', false)],
    [
      'missing when there may be no event',
      'yes',
      leaf('node_id', 'exists', false),
      APPROVER,
      { optional: true },
    ],
    ['null where a condition names it', 'yes', leaf('biz_type', 'equal', null)],
    ['not null where none does', 'no', { not: { any: [leaf('node_id', 'startsWith', '')] } }],
    ['null where the envelope may have none', 'yes', leaf('app_id', 'not:startsWith', '')],
    ['the type of the event', 'no', leaf('event_type', 'notEqual', APPROVER)],
    ['whole numbers only', 'no', { all: [leaf('status', 'greaterThan', 2), leaf('status', 'lessThan', 3)] }],
    ['anything that nobody has described', 'yes', leaf('newer_field', 'contains', 'x')],
    ['nothing that is never known', 'no', leaf('task.transition', 'exists', true), COMMENT],
    ['counts from 0', 'no', leaf('node.pending', 'lessThan', 0)],
    ['a day of the week', 'no', leaf('now.weekday', 'equal', 8)],
    ['a time of the day', 'no', leaf('now.time', 'matches', '^2[4-9]')],
    ['a transition between known statuses', 'no', leaf('task.transition', 'equal', '1>5')],
    [
      'a transition that ends with the status',
      'no',
      { all: [leaf('status', 'equal', 2), leaf('task.transition', 'endsWith', '>3')] },
    ],
    [
      'no previous status for the first one only',
      'no',
      { all: [leaf('status', 'equal', 2), leaf('task.previousStatus', 'equal', null)] },
    ],
    [
      'anything of unknown events',
      'yes',
      { all: [leaf('status', 'equal', 'x'), leaf('event_type', 'startsWith', 'my.')] },
      null,
    ],
    ['nothing too', 'yes', leaf('status', 'exists', false), null],
    ['the envelope of unknown events', 'no', leaf('source', 'equal', 'carrier-pigeon'), null],
  ])('%s: %s', (_name, expected, document, type = APPROVER, options = {}) => {
    expect(can(document, type, options)).toBe(expected);
  });

  it.each<[string, unknown]>([
    ['status', 1],
    ['node_id_str', undefined],
    ['event_type', APPROVER],
    ['task.previousStatus', null],
    ['task.transition', '>1'],
    ['now.weekday', 1],
    ['event.late', false],
    ['lookup.user', {}],
  ])('usually %s is %j', (fact, usual) => {
    expect(new FactSpace(known, APPROVER).usual(fact)).toEqual(usual);
  });
});
