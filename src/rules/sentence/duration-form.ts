import { choice, type Form } from './form.js';
import { json, number, text } from './json-form.js';
import type { Language, Texts } from './language.js';
import type { Level } from '../state/root-state.js';

/** Units as rule files write them for one and for several, and as sentences do. */
const UNITS: readonly {
  readonly one: string;
  readonly many: string;
  readonly zh: string;
  readonly en: readonly [one: string, many: string];
}[] = [
  { one: 'ms', many: 'ms', zh: ' 毫秒', en: [' millisecond', ' milliseconds'] },
  { one: 's', many: 's', zh: ' 秒', en: [' second', ' seconds'] },
  { one: 'm', many: 'm', zh: ' 分钟', en: [' minute', ' minutes'] },
  { one: 'h', many: 'h', zh: ' 小时', en: [' hour', ' hours'] },
  { one: 'd', many: 'd', zh: ' 天', en: [' day', ' days'] },
  { one: ' work minute', many: ' work minutes', zh: ' 个工作分钟', en: [' work minute', ' work minutes'] },
  { one: ' work hour', many: ' work hours', zh: ' 个工作小时', en: [' work hour', ' work hours'] },
  { one: ' workday', many: ' workdays', zh: ' 个工作日', en: [' workday', ' workdays'] },
];

type Unit = (typeof UNITS)[number];

const COUNT = /(?:0|[1-9]\d{0,8})(?= )/y;
const WRITTEN = /^(0|[1-9]\d{0,8})(.+)$/;

function said(unit: Unit, count: number, language: Language): string {
  return language === 'zh' ? unit.zh : unit.en[count === 1 ? 0 : 1];
}

/** The units whose words are the beginnings of others' come last. */
const LONGEST_FIRST = [...UNITS].sort((a, b) => b.en[1].length - a.en[1].length);

/** The count and the unit that come next; null: something else does. */
function readCounted(from: Parameters<Form<string>['read']>[0]): { count: number; unit: Unit } | null {
  const digits = from.match(COUNT);
  if (digits === null) return null;
  const count = Number(digits);
  const unit = LONGEST_FIRST.find((one) => from.skip(said(one, count, from.language)));
  return unit ? { count, unit } : from.fail('the unit of a duration belongs here');
}

/** A duration as a rule file writes it, in words; one that is written in an unusual way as it stands, in quotes. */
export const duration: Form<string> = {
  write: (value, by) => {
    const [, digits = '', written] = WRITTEN.exec(value) ?? [];
    const count = Number(digits);
    const unit = UNITS.find(({ one, many }) => written === (count === 1 ? one : many));
    return unit ? `${digits}${said(unit, count, by.language)}` : text.write(value, by);
  },
  read: (from) => {
    const counted = readCounted(from);
    if (!counted) return text.read(from);
    const { count, unit } = counted;
    return `${count}${count === 1 ? unit.one : unit.many}`;
  },
};

/** Whether a value is a duration that is said in words. */
export function isPlainDuration(value: unknown): value is string {
  const [, digits = '', written] = (typeof value === 'string' ? WRITTEN.exec(value) : null) ?? [];
  return UNITS.some(({ one, many }) => written === (Number(digits) === 1 ? one : many));
}

const SIZES: readonly (readonly [unit: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
];

/** Milliseconds, in the largest unit that is whole. */
export const milliseconds: Form<number> = {
  write: (value, by) => {
    const [unit, size] = SIZES.find(([, one]) => value >= one && value % one === 0) ?? ['ms', 1];
    const written = `${value / size}${unit}`;
    return isPlainDuration(written) ? duration.write(written, by) : json.write(value, by);
  },
  read: (from) => {
    const counted = readCounted(from);
    if (!counted) return number.read(from);
    const size = SIZES.find(([unit]) => unit === counted.unit.one)?.[1];
    return size === undefined
      ? from.fail('before this a duration by the clock belongs')
      : counted.count * size;
  },
};

const TASK: Texts = { zh: '审批任务', en: 'approval task' };
const NODE: Texts = { zh: '节点', en: 'node' };
const PROCESS: Texts = { zh: '流程', en: 'process' };
const EVENT: Texts = { zh: '事件', en: 'event' };

/** What state is kept for. */
export const level: Form<Level> = choice([
  ['task', TASK],
  ['node', NODE],
  ['process', PROCESS],
]);
export const levelOrEvent: Form<Level | 'event'> = choice([
  ['task', TASK],
  ['node', NODE],
  ['process', PROCESS],
  ['event', EVENT],
]);
