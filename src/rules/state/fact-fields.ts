import {
  type Catalogue,
  type CatalogueEntry,
  entityFields,
  type EnumValue,
  type FieldDefinition,
  type Label,
} from '../../events/catalogue.js';
import { isStateFact } from './fact-names.js';
import { hasLevel, kindOfLevel, levelTold, rootOf } from './levels.js';
import { type Level, LEVELS } from './root-state.js';

const WEEKDAYS: readonly Label[] = [
  { zh: '周一', en: 'Monday' },
  { zh: '周二', en: 'Tuesday' },
  { zh: '周三', en: 'Wednesday' },
  { zh: '周四', en: 'Thursday' },
  { zh: '周五', en: 'Friday' },
  { zh: '周六', en: 'Saturday' },
  { zh: '周日', en: 'Sunday' },
];

const count = (label: Label): FieldDefinition => ({ type: 'integer', label });

/**
 * What the facts of the state and of the clock are. `optional`: also where the events say whom they are about, it may
 * not be known. Statuses have their type and their labels from the catalogue.
 */
const FIELDS = {
  'event.late': { type: 'boolean', label: { zh: '迟到事件', en: 'late event' } },
  'task.previousStatus': {
    type: 'integer',
    label: { zh: '任务的上一状态', en: 'previous status of the task' },
    optional: true,
  },
  'task.transition': {
    type: 'string',
    label: { zh: '任务的状态变迁，如 "1>3"', en: 'transition of the task, like "1>3"' },
    optional: true,
  },
  'task.firstSeen': {
    type: 'integer',
    format: 'epoch-milliseconds',
    label: { zh: '任务首次出现的时间', en: 'time when the task was first seen' },
  },
  'task.age': count({ zh: '任务存在的毫秒数', en: 'age of the task in milliseconds' }),
  'task.reopened': { type: 'boolean', label: { zh: '任务曾重新打开', en: 'the task was reopened' } },
  'node.seen': count({ zh: '节点已见任务数', en: 'tasks seen of the node' }),
  'node.pending': count({ zh: '节点待办任务数', en: 'tasks of the node to do' }),
  'node.done': count({ zh: '节点已完成任务数', en: 'tasks of the node done' }),
  'node.rejected': count({ zh: '节点已拒绝任务数', en: 'tasks of the node rejected' }),
  'node.cancelled': count({ zh: '节点已取消任务数', en: 'tasks of the node cancelled' }),
  'node.complete': {
    type: 'boolean',
    label: { zh: '节点已有结论', en: 'the node is decided' },
    optional: true,
  },
  'process.status': {
    type: 'integer',
    label: { zh: '流程状态', en: 'status of the process' },
    optional: true,
  },
  'process.tasks': count({ zh: '流程已见任务数', en: 'tasks seen of the process' }),
  'process.rejected': count({ zh: '流程已拒绝任务数', en: 'tasks of the process rejected' }),
  'process.age': count({ zh: '流程存在的毫秒数', en: 'age of the process in milliseconds' }),
  'now.date': {
    type: 'string',
    label: { zh: '当前日期，如 "2026-01-31"', en: 'date now, like "2026-01-31"' },
  },
  'now.time': { type: 'string', label: { zh: '当前时刻，如 "09:30"', en: 'time of day now, like "09:30"' } },
  'now.weekday': {
    type: 'integer',
    label: { zh: '当前星期', en: 'day of the week now' },
    enum: WEEKDAYS.map((label, index) => ({ value: index + 1, label })),
  },
  'now.workday': {
    type: 'boolean',
    label: { zh: '当前为工作日（需要日历）', en: 'today is a workday (needs a calendar)' },
    optional: true,
  },
} as const satisfies Readonly<Record<string, FieldDefinition>>;

/** Facts that are a status, or made of two, of whatever type the status of the event type is. */
export const STATUS_FACTS: readonly string[] = ['task.previousStatus', 'task.transition', 'process.status'];

/** The names of all facts of the state and of the clock. */
export const STATE_FACTS: readonly string[] = Object.keys(FIELDS);

/**
 * What a fact of the state or the clock is for the events of a type; null: it is never known there, because they do
 * not say whom they are about, or there is no such fact. Without a type: what it is in general.
 */
export function stateFieldOf(
  catalogue: Catalogue,
  entry: CatalogueEntry | null,
  fact: string,
): FieldDefinition | null {
  const field = definitionOf(fact);
  if (!field) return null;
  const level = LEVELS.find((one) => fact.startsWith(`${one}.`));
  if (!level) return field;
  if (entry && !isKnown(catalogue, entry, level)) return null;
  const known = { ...field, optional: entry ? mayBeMissing(entry, level, fact, field) : true };
  if (level !== 'task' && fact !== 'process.status') return known;
  const tellers = entry ? tellersOf(catalogue, entry, level) : tellersIn(catalogue.entries, level);
  const statuses = tellers.flatMap(({ status, fields }) => (status ? (fields[status.field] ?? []) : []));
  // Of a task whose status nobody tells nothing is known.
  if (statuses.length === 0) return null;
  if (!STATUS_FACTS.includes(fact)) return known;
  const personal = statuses.some((status) => status.personal) ? { personal: true } : {};
  return { ...known, ...personal, ...(fact === 'task.transition' ? {} : merged(statuses)) };
}

/** What is known of a fact of an event, by the catalogue or as one of the state. Of look-ups it knows nothing. */
export function fieldOfFact(catalogue: Catalogue, eventType: string, fact: string): FieldDefinition | null {
  return isStateFact(fact)
    ? stateFieldOf(catalogue, catalogue.find(eventType), fact)
    : catalogue.fieldOf(eventType, fact);
}

function definitionOf(fact: string): FieldDefinition | null {
  const fields: Readonly<Record<string, FieldDefinition>> = FIELDS;
  return Object.hasOwn(fields, fact) ? (fields[fact] ?? null) : null;
}

/** Whether the events of a type can be about an entity of a level. */
function isKnown(catalogue: Catalogue, entry: CatalogueEntry, level: Level): boolean {
  if (level !== 'node' || hasLevel(entry, 'node')) return hasLevel(entry, level);
  // An event that names no node is about that of its task, which other events of the family name.
  const family = familyOf(catalogue, entry);
  return hasLevel(entry, 'task') && family.some((one) => hasLevel(one, 'task') && hasLevel(one, 'node'));
}

/** Whether a genuine event of a type may leave the fact unknown. */
function mayBeMissing(
  entry: CatalogueEntry,
  level: Level,
  fact: string,
  { optional = false }: FieldDefinition,
): boolean {
  if (!isNamed(entry, 'process') || !isNamed(entry, level)) return true;
  // What an event tells is known with it.
  const told = levelTold(entry);
  if (fact === 'process.status') return told !== 'process';
  if (fact === 'process.age') return told === null || !isNamed(entry, told);
  return optional || (level === 'task' && told !== 'task');
}

/** Whether every genuine event of a type says which entity of a level it is about. */
function isNamed(entry: CatalogueEntry, level: Level): boolean {
  const kind = kindOfLevel(entry, level);
  const fields = kind === null ? [] : entityFields(entry, kind);
  return fields.some((field) => entry.fields[field]?.optional !== true);
}

/** The event types of the same root entities. */
function familyOf(catalogue: Catalogue, entry: CatalogueEntry): readonly CatalogueEntry[] {
  const root = rootOf(entry);
  return root === undefined ? [entry] : catalogue.entries.filter((one) => rootOf(one) === root);
}

/** The event types that tell the status of the entity which the events of a type are about. */
function tellersOf(catalogue: Catalogue, entry: CatalogueEntry, level: Level): readonly CatalogueEntry[] {
  if (levelTold(entry) === level) return [entry];
  const family = tellersIn(familyOf(catalogue, entry), level);
  if (family.length > 0) return family;
  // Another type may call the id of the same root entity by another name.
  return tellersIn(
    catalogue.entries.filter(({ rootEntity }) => rootEntity === entry.rootEntity),
    level,
  );
}

function tellersIn(entries: readonly CatalogueEntry[], level: Level): readonly CatalogueEntry[] {
  return entries.filter((entry) => levelTold(entry) === level);
}

/** One type and all values, each once. Values of several types are known to nobody: then only the first type's are. */
function merged(fields: readonly FieldDefinition[]): Pick<FieldDefinition, 'type' | 'enum'> {
  const type = fields[0]?.type ?? 'string';
  const alike = fields.filter((field) => field.type === type);
  if (!alike.every((field) => field.enum)) return { type };
  const values = new Map<string | number, EnumValue>();
  for (const value of alike.flatMap((field) => field.enum ?? []))
    if (!values.has(value.value)) values.set(value.value, value);
  return { type, enum: [...values.values()] };
}
