import { printable } from '../config/terminal-text.js';
import { pc } from './colours.js';

type Paint = (text: string) => string;

const EVENT_STATES: Readonly<Record<string, readonly [Paint, string]>> = {
  undecided: [pc.yellow, '未求值'],
  waiting: [pc.yellow, '等待查询'],
  decided: [pc.green, '已求值'],
  quarantined: [pc.red, '已隔离'],
};
const DELIVERY_STATES: Readonly<Record<string, readonly [Paint, string]>> = {
  pending: [pc.yellow, '待投递'],
  delivering: [pc.cyan, '投递中'],
  deferred: [pc.yellow, '延后'],
  held: [pc.yellow, '待放行'],
  delivered: [pc.green, '已投递'],
  dead: [pc.red, '死信'],
  cancelled: [pc.dim, '已取消'],
};
const OUTCOMES: Readonly<Record<string, readonly [Paint, string]>> = {
  delivered: [pc.green, '已送达'],
  retry: [pc.yellow, '将重试'],
  permanent: [pc.red, '不再试'],
  lost: [pc.yellow, '中断'],
};
const VERDICTS: Readonly<Record<string, readonly [Paint, string]>> = {
  matched: [pc.green, '命中'],
  'not matched': [pc.dim, '未命中'],
  unknown: [pc.yellow, '未知'],
  error: [pc.red, '错误'],
  skipped: [pc.dim, '跳过'],
};

const SUPPRESSIONS: Readonly<Record<string, readonly [Paint, string]>> = {
  shadow: [pc.magenta, '影子'],
  when: [pc.dim, '动作条件不成立'],
  'already-sent': [pc.dim, '已发过'],
  'once-per': [pc.dim, '已触发过'],
  silence: [pc.yellow, '静默'],
  throttle: [pc.yellow, '限频'],
  'quiet-hours': [pc.yellow, '静默时段'],
  digest: [pc.cyan, '汇总'],
};
const SILENCE_STATES: Readonly<Record<string, readonly [Paint, string]>> = {
  active: [pc.yellow, '生效中'],
  pending: [pc.cyan, '未开始'],
  ended: [pc.dim, '已结束'],
};
const TIMER_STATES: Readonly<Record<string, readonly [Paint, string]>> = {
  armed: [pc.cyan, '计时中'],
  asking: [pc.yellow, '询问中'],
  finished: [pc.green, '步骤已发完'],
  cancelled: [pc.dim, '已取消'],
};
const BREAKERS: Readonly<Record<string, readonly [Paint, string]>> = {
  closed: [pc.green, '正常'],
  open: [pc.red, '熔断'],
  'half-open': [pc.yellow, '试探'],
};
const NOTICE_STATES: Readonly<Record<string, readonly [Paint, string]>> = {
  open: [pc.cyan, '待通知'],
  told: [pc.green, '已通知'],
  nobody: [pc.yellow, '无人可通知'],
};
const NOTICE_KINDS: Readonly<Record<string, readonly [Paint, string]>> = {
  'target-failing': [pc.red, '目标持续失败'],
  'target-recovered': [pc.green, '目标已恢复'],
  'deliveries-dead': [pc.red, '出现死信'],
  'not-rendered': [pc.red, '投递无法生成'],
  'brake-held': [pc.yellow, '刹车扣住投递'],
  'silence-ending': [pc.yellow, '静默即将结束'],
  'lookup-failing': [pc.red, '查询失败'],
  'unread-value': [pc.yellow, '取值无规则处理'],
  'unknown-value': [pc.yellow, '未知取值'],
  'silent-rule': [pc.yellow, '规则不再触发'],
  'failing-condition': [pc.yellow, '规则总差一个条件'],
  'lost-events': [pc.red, '有事件丢失'],
};
const DRILL_STEPS: Readonly<Record<string, readonly [Paint, string]>> = {
  name: [pc.bold, '名称解析'],
  connection: [pc.bold, '连接'],
  tls: [pc.bold, '加密'],
  login: [pc.bold, '登录'],
  answer: [pc.bold, '应答'],
};
const STANDINGS: Readonly<Record<string, readonly [Paint, string]>> = {
  same: [pc.green, '相同'],
  live: [pc.yellow, '仅正式'],
  shadow: [pc.magenta, '仅影子'],
  different: [pc.red, '不同'],
};
const SHADOW_STATES: Readonly<Record<string, readonly [Paint, string]>> = {
  pending: [pc.green, '会投递'],
  held: [pc.yellow, '会待放行'],
  dead: [pc.red, '无法生成'],
  gathering: [pc.cyan, '汇总中'],
  cancelled: [pc.dim, '未成'],
};
const UNSETTLED_STATES: Readonly<Record<string, readonly [Paint, string]>> = {
  open: [pc.cyan, '等待后续事件'],
  expired: [pc.yellow, '需人工处理'],
};
const PHASES: Readonly<Record<string, readonly [Paint, string]>> = {
  open: [pc.yellow, '进行中'],
  done: [pc.green, '已完成'],
  rejected: [pc.red, '已拒绝'],
  cancelled: [pc.dim, '已取消'],
  ended: [pc.dim, '已结束'],
  unknown: [pc.yellow, '未知'],
};

const coloured =
  (words: Readonly<Record<string, readonly [Paint, string]>>) =>
  (word: string, between = ' '): string => {
    const known = Object.hasOwn(words, word) ? words[word] : undefined;
    if (!known) return printable(word);
    const [paint, zh] = known;
    return `${paint(word)}${between}${paint(zh)}`;
  };

/** States and outcomes in English and Chinese, in their colours; in a table with a line end between them. */
export const eventState = coloured(EVENT_STATES);
export const deliveryState = coloured(DELIVERY_STATES);
export const attemptOutcome = coloured(OUTCOMES);
export const verdictWord = coloured(VERDICTS);
export const silenceState = coloured(SILENCE_STATES);
export const breakerState = coloured(BREAKERS);
export const drillStep = coloured(DRILL_STEPS);
export const timerState = coloured(TIMER_STATES);
export const standingWord = coloured(STANDINGS);
export const shadowState = coloured(SHADOW_STATES);
export const unsettledState = coloured(UNSETTLED_STATES);
export const noticeState = coloured(NOTICE_STATES);
export const noticeKind = coloured(NOTICE_KINDS);
/** Findings of the radar are called as the notices of them. */
export const radarKind = noticeKind;
export const phaseWord = coloured(PHASES);

export const suppressionCause = coloured(SUPPRESSIONS);

const REPLAY_STATES: Readonly<Record<string, readonly [Paint, string]>> = {
  pending: [pc.yellow, '等待中'],
  running: [pc.cyan, '进行中'],
  done: [pc.green, '已完成'],
  cancelled: [pc.dim, '已停止'],
  failed: [pc.red, '失败'],
};
const OUTCOMES_ASKED: Readonly<Record<string, readonly [Paint, string]>> = {
  sent: [pc.green, '发送'],
  held: [pc.yellow, '待放行'],
  deferred: [pc.yellow, '延后'],
  dead: [pc.red, '无法生成'],
  unknown: [pc.yellow, '判定未知'],
  error: [pc.red, '判定错误'],
  ...SUPPRESSIONS,
};
const RECALL_OUTCOMES: Readonly<Record<string, readonly [Paint, string]>> = {
  waiting: [pc.dim, '待处理'],
  cancelled: [pc.green, '取消'],
  kept: [pc.dim, '保留'],
  undone: [pc.green, '撤销'],
  person: [pc.red, '需人工处理'],
  gone: [pc.dim, '已无影响'],
};
export const replayState = coloured(REPLAY_STATES);
/** What comes of an action that a rule asks for. */
export const outcomeWord = coloured(OUTCOMES_ASKED);
export const recallOutcome = coloured(RECALL_OUTCOMES);

/** `payroll-done / tell (24h): no delivery 未投递: silence 静默 019ab3c1-…`. */
export function suppressionText(one: {
  readonly rule: string;
  readonly action: string;
  readonly step?: string;
  readonly cause: string;
  readonly by?: string;
  readonly times?: number;
}): string {
  const step = one.step === undefined ? '' : ` (${printable(one.step)})`;
  const by = one.by === undefined ? '' : ` ${printable(one.by)}`;
  const times = one.times === undefined ? '' : ` ×${one.times}`;
  return `${printable(one.rule)} / ${printable(one.action)}${step}: no delivery 未投递: ${suppressionCause(one.cause)}${by}${times}`;
}

/** A time of the API, to the second. */
export function timeText(time: string | null | undefined): string {
  if (time === null || time === undefined) return '';
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? printable(time) : `${date.toISOString().slice(0, 19)}Z`;
}

/** How long it is until a time, or how long ago that was: `in 2 h 5 min`, `40 s ago`. */
export function distanceText(time: string, now: number): string {
  const ms = Date.parse(time) - now;
  const long = durationText(Math.abs(ms));
  return ms < 0 ? `${long} ago 前` : `in ${long} 后`;
}

/** In its two largest units. */
function durationText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return `${seconds} s`;
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

export function amount(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** A delivery's place, a reason: whatever may be missing. */
export function textOr(text: string | null | undefined, otherwise = ''): string {
  return text === null || text === undefined || text === '' ? otherwise : printable(text);
}
