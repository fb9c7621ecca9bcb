import type { FieldDefinition } from '../../events/catalogue.js';
import type { KeptParts } from './kept-values.js';

const DAY_MS = 86_400_000;
/** Days that stand for others are counted from here. */
const FIRST_DAY = Date.UTC(2000, 0, 1);

const MAIL = /^[^\s@]+@[^\s@]+$/;
const DAY = /^\d{4}-\d\d-\d\d(?!\d)/;
const PHONE = /^\+?[\d ()-]{7,}$/;
/** `ou_…`, `on_…`, a GUID, `b613t51g`. */
const ID = /^(?=.*\d)[\w.:-]+$/;
const ID_PREFIX = /^[A-Za-z]{1,8}[_-](?=.{4})/;
const WORD = /^[\w.-]+$/;
const NAME = /^[\p{L}.'’-]+(?: [\p{L}.'’-]+){0,3}$/u;
/** A name in Chinese has so many characters at most. */
const LONGEST_HAN_NAME = 4;

/**
 * A text of the shape of another: an id stays an id, a mail address one, a day a day. `parts`: what of the text must stay.
 * `next`: the number of one more of a kind, from 1.
 */
export function madeLike(
  text: string,
  { start, end, within }: KeptParts,
  format: FieldDefinition['format'],
  next: (kind: string) => number,
): string {
  if (MAIL.test(text)) {
    const domain = end.includes('@') ? end.slice(end.indexOf('@') + 1) : 'example.com';
    const made = `person-${next('mail')}@${domain}`;
    return made.startsWith(start) && made.includes(within) ? made : `${start}${within}${made}`;
  }
  const rest =
    text.length > start.length + end.length ? text.slice(start.length, text.length - end.length) : '';
  const made = shaped(rest, format, next);
  return `${start}${made.includes(within) ? '' : within}${made}${end}`;
}

function shaped(text: string, format: FieldDefinition['format'], next: (kind: string) => number): string {
  const day = (): number => FIRST_DAY + next('day') * DAY_MS;
  if (format === 'epoch-milliseconds' && /^\d{1,16}$/.test(text)) return String(day());
  if (format === 'epoch-seconds' && /^\d{1,13}$/.test(text)) return String(day() / 1000);
  if (DAY.test(text)) return new Date(day()).toISOString().slice(0, 10) + text.slice(10);
  if (/^https?:\/\//i.test(text)) return `https://example.com/person-${next('address')}`;
  if (PHONE.test(text)) return numbered(text, next('phone'));
  if (ID.test(text)) {
    const prefix = ID_PREFIX.exec(text)?.[0] ?? '';
    return prefix + numbered(text.slice(prefix.length), next(`id ${prefix}`));
  }
  if (/\p{Script=Han}/u.test(text))
    return text.length <= LONGEST_HAN_NAME ? `员工${next('Chinese name')}` : `文字${next('Chinese text')}`;
  if (WORD.test(text)) return `person-${next('login')}`;
  return NAME.test(text) ? `Person ${next('name')}` : `Text ${next('text')}`;
}

/** Letters and digits as zeros, the number at the end; what stands between them stays. */
function numbered(text: string, number: number): string {
  const digits = Array.from(String(number));
  const places = Array.from(text).reverse();
  const written = places.map((one) => (/[\p{L}\p{N}]/u.test(one) ? (digits.pop() ?? '0') : one));
  return [...digits, ...written.reverse()].join('');
}
