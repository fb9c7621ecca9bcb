import { type LeafDocument, referenceIn } from '../condition-document.js';
import type { Cursor } from './cursor.js';
import { duration, isPlainDuration } from './duration-form.js';
import { COMMA, type Form, listOf } from './form.js';
import { json } from './json-form.js';
import { fieldAt, type Place, plainLabel } from './label.js';
import type { Texts, Wording } from './language.js';
import { labelled, place, VALUE_BEGINS } from './place-form.js';

const FACT: Texts = { zh: '事实', en: 'the fact ' };
const LITERAL: Texts = { zh: '字面值 ', en: 'the literal ' };
/** Before a value that would otherwise be read as another one. */
const EXACTLY: Texts = { zh: '恰为 ', en: 'exactly ' };

/** Whose value is a list, said without brackets. */
const OF_LIST = /^(?:(?:not|someFact|everyFact):)*(?:in|notIn)$/;
const OF_DURATION = /(?:^|:)(?:olderThan|newerThan)$/;

type Compared = Pick<LeafDocument, 'fact' | 'path' | 'operator'>;

/** The value of a leaf. What it is compared with says how it is written and labelled. */
export function writeValue(value: unknown, leaf: Compared, by: Wording): string {
  const { language } = by;
  const labelled = valueForm(leaf);
  if (isReference(value)) return `${FACT[language]}${place.write(value, by)}`;
  if (isLiteral(value)) return `${LITERAL[language]}${labelled.write(value.literal, by)}`;
  const { operator } = leaf;
  if (OF_LIST.test(operator)) {
    if (Array.isArray(value) && value.length > 0 && value.every(isScalar))
      return listOf(labelled, COMMA).write(value, by);
    if (isScalar(value)) return `${EXACTLY[language]}${json.write(value, by)}`;
  }
  if (OF_DURATION.test(operator))
    return isPlainDuration(value)
      ? duration.write(value, by)
      : `${EXACTLY[language]}${json.write(value, by)}`;
  return labelled.write(value, by);
}

export function readValue(operator: string, from: Cursor): unknown {
  const { language } = from;
  const labelled = valueForm(NOTHING);
  if (from.skip(FACT[language])) return place.read(from);
  if (from.skip(LITERAL[language])) return { literal: labelled.read(from) };
  if (from.skip(EXACTLY[language])) return json.read(from);
  if (OF_LIST.test(operator) && !from.sees('[') && !from.sees('{'))
    return listOf(labelled, COMMA, VALUE_BEGINS).read(from);
  return OF_DURATION.test(operator) ? duration.read(from) : labelled.read(from);
}

/** Another fact, and nothing else. */
function isReference(value: unknown): value is Place {
  const reference = referenceIn(value);
  if (!reference || (reference.path !== undefined && typeof reference.path !== 'string')) return false;
  return Object.keys(reference).every((key) => key === 'fact' || key === 'path');
}

function isLiteral(value: unknown): value is { readonly literal: unknown } {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.hasOwn(value, 'literal') &&
    Object.keys(value).length === 1
  );
}

const isScalar = (value: unknown): boolean => typeof value !== 'object' || value === null;

const NOTHING: Compared = { fact: '', operator: '' };

/** A value with the label that the fact which it is compared with gives it. */
function valueForm(leaf: Compared): Form<unknown> {
  return labelled(json, (value, by) => labelOfValue(value, leaf, by));
}

const YES: Texts = { zh: '是', en: '' };
const NO: Texts = { zh: '否', en: '' };

function labelOfValue(value: unknown, leaf: Compared, by: Wording): string | null {
  const { language } = by;
  if (typeof value === 'boolean') return (value ? YES : NO)[language] || null;
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  if (leaf.fact === 'task.transition' && typeof value === 'string') return labelOfTransition(value, by);
  return labelIn(leaf, value, by);
}

function labelIn(at: Place, value: unknown, by: Wording): string | null {
  const field = fieldAt(at, by);
  const known = (field?.items ?? field)?.enum?.find((one) => one.value === value);
  return known ? plainLabel(known.label[by.language]) : null;
}

/** `1>3` as `待办→已完成`. */
function labelOfTransition(value: string, by: Wording): string | null {
  const statuses = value.split('>');
  const labels = statuses.map((status) => {
    const at = { fact: 'task.previousStatus' };
    return labelIn(at, status, by) ?? (/^\d+$/.test(status) ? labelIn(at, Number(status), by) : null);
  });
  return statuses.length === 2 && !labels.includes(null) ? labels.join('→') : null;
}
