import { testLeaf } from '../compiled-conditions.js';
import { type Domain, domainWithin } from './domain.js';
import { elementQuestion, type KnownLeaf } from './known-leaf.js';
import { type PartitionNeeds, type Representatives, representatives } from './partition.js';

/** So many kinds of elements are put together in every way. */
const MOST_KINDS = 5;
/** Of so many questions about elements every part is answered with yes. */
const MOST_QUESTIONS = 8;
const MOST_PAIRS = 12;

/** Lists of every kind that leaves tell apart by the elements that are in them. */
export function listsFor(
  domain: Domain,
  leaves: readonly KnownLeaf[],
  needs: PartitionNeeds,
): Representatives {
  const usual = Array.isArray(needs.usual) ? [needs.usual as unknown] : [];
  const asked = leaves.flatMap((leaf) => elementQuestion(leaf) ?? []);
  const other = leaves.some(({ node }) => node.other !== null);
  if (asked.length === 0) return { values: [...usual, [], ['other']], exact: !other };
  const questions = [...new Set(asked.flatMap(({ elements }) => elements))];
  const kinds = kindsOf(domain, questions, needs);
  if (kinds.elements.length <= MOST_KINDS)
    return { values: [...usual, ...everyPart(kinds.elements)], exact: kinds.exact && !other };
  const simple = asked.every(({ kind }) => kind !== null) && questions.length <= MOST_QUESTIONS;
  const lists = simple ? byAnswers(kinds.answers, kinds.elements) : fewLists(kinds.elements);
  return { values: [...usual, ...lists], exact: simple && kinds.exact && !other };
}

interface Kinds {
  readonly elements: readonly unknown[];
  /** For each element, bits of the questions that are yes for it. */
  readonly answers: readonly number[];
  readonly exact: boolean;
}

function kindsOf(domain: Domain, questions: readonly KnownLeaf[], needs: PartitionNeeds): Kinds {
  const within = domainWithin(domain, '0');
  const found = representatives(within, questions, { ...needs, count: 1, usual: usualElement(needs.usual) });
  const namesNull = questions.some(({ literals }) => literals.includes(null));
  const values = within.nullable || namesNull ? [...found.values, null] : found.values;
  const kinds = new Map<string, { readonly value: unknown; readonly answers: number }>();
  let fails = false;
  for (const value of values) {
    const outcomes = questions.map(({ node }) => testLeaf(node, value, undefined, null, needs));
    const key = outcomes.join();
    // Which element fails first, and whether one does at all, depends on their order.
    fails ||= outcomes.includes('error');
    const answers = outcomes.reduce(
      (bits, one, at) => (one === 'yes' && at < 31 ? bits | (1 << at) : bits),
      0,
    );
    if (!kinds.has(key)) kinds.set(key, { value, answers });
  }
  needs.budget.steps -= values.length / 2;
  const all = [...kinds.values()];
  return {
    elements: all.map(({ value }) => value),
    answers: all.map(({ answers }) => answers),
    exact: found.exact && !fails,
  };
}

function usualElement(list: unknown): unknown {
  return Array.isArray(list) ? (list as unknown[])[0] : undefined;
}

/** Every list that has some of the elements, the short ones first. */
function everyPart(elements: readonly unknown[]): readonly (readonly unknown[])[] {
  const parts = Array.from({ length: 2 ** elements.length }, (_, mask) =>
    elements.filter((_one, at) => mask & (1 << at)),
  );
  return parts.sort((a, b) => a.length - b.length);
}

/** For each part of the questions a short list with a yes for all that can be while the others have none. */
function byAnswers(
  answers: readonly number[],
  elements: readonly unknown[],
): readonly (readonly unknown[])[] {
  const asked = answers.reduce((bits, one) => bits | one, 0);
  const lists = new Map<string, readonly unknown[]>();
  for (let denied = 0; denied <= asked; denied += 1) {
    const list: unknown[] = [];
    let left = asked & ~denied;
    answers.forEach((bits, at) => {
      if ((bits & denied) !== 0 || (bits & left) === 0) return;
      list.push(elements[at]);
      left &= ~bits;
    });
    lists.set(JSON.stringify(list), list);
  }
  return [...lists.values(), [elements.find((_, at) => answers[at] === 0)]].filter(
    (list) => !list.includes(undefined),
  );
}

function fewLists(elements: readonly unknown[]): readonly (readonly unknown[])[] {
  const few = elements.slice(0, MOST_PAIRS);
  const pairs = few.flatMap((one, at) => few.slice(at + 1).map((other) => [one, other]));
  return [[], ...elements.map((one) => [one]), ...pairs, elements];
}
