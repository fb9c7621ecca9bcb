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

/** A time of the API, to the second. */
export function timeText(time: string | null | undefined): string {
  if (time === null || time === undefined) return '';
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? printable(time) : `${date.toISOString().slice(0, 19)}Z`;
}

export function amount(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** A delivery's place, a reason: whatever may be missing. */
export function textOr(text: string | null | undefined, otherwise = ''): string {
  return text === null || text === undefined || text === '' ? otherwise : printable(text);
}
