import type { FieldDefinition, Label } from '../../events/catalogue.js';
import { fieldWithin } from '../known-field.js';
import { parsePath } from '../plain-path.js';
import type { Wording } from './language.js';

const LONGEST = 40;
/** A remark begins: `（需要日历）`, `, like "1>3"`. */
const REMARK = /[（(，,；;：:。]/;
/** What has a meaning in sentences. */
const MARKS = /["'`“”「」『』【】〔〕（）()[\]{}<>\p{C}\p{Z}]+/gu;
const BEGINNING = /^[\p{L}\p{N}]/u;

/** A label so that it cannot be taken for anything but a label; null: nothing of it is left. */
export function plainLabel(label: string): string | null {
  const [about = ''] = label.split(REMARK);
  const plain = about.replace(MARKS, ' ').trim();
  if (!BEGINNING.test(plain)) return null;
  const characters = Array.from(plain);
  return characters.length > LONGEST ? `${characters.slice(0, LONGEST - 1).join('')}…` : plain;
}

/** A label in a language; null: there is none, or it says no more than the name itself. */
export function labelIn(label: Label | undefined, name: string, { language }: Wording): string | null {
  const plain = label ? plainLabel(label[language]) : null;
  return plain === null || plain.toLowerCase() === name.toLowerCase() ? null : plain;
}

/** Where a condition reads. */
export interface Place {
  readonly fact: string;
  readonly path?: string | undefined;
}

/** What is known of a place, by the first event type that knows its fact. */
export function fieldAt({ fact, path }: Place, { words, eventTypes }: Wording): FieldDefinition | null {
  const field = eventTypes.reduce<FieldDefinition | null>(
    (found, eventType) => found ?? words.fieldOf(eventType, fact),
    null,
  );
  const steps = path === undefined ? [] : (parsePath(path) ?? []);
  return fieldWithin(field, steps).definition;
}
