import { type ActionDocument, undoOf } from '../../action/action-document.js';
import type { Cursor } from './cursor.js';
import { COMMA, type Form, listOf } from './form.js';
import { json, object, text, word } from './json-form.js';
import type { Language, Texts, Wording } from './language.js';

/** An action, and the step that it belongs to, by its name or else its number; null: it is one of the rule's own. */
export interface PlacedAction {
  readonly step: string | number | null;
  readonly action: ActionDocument;
}

type Kind = ActionDocument['type'];

/** Much text: said behind the sentence. */
interface Detail {
  readonly key: string;
  readonly kinds: readonly Kind[];
  readonly called: Texts;
  /** Of which there are several. */
  readonly many?: boolean;
  readonly form: Form<unknown>;
}

const DETAILS: readonly Detail[] = [
  {
    key: 'headers',
    kinds: ['http'],
    called: { zh: '请求头', en: 'headers' },
    many: true,
    form: object(),
  },
  { key: 'body', kinds: ['http'], called: { zh: '请求体', en: 'body' }, form: json },
  { key: 'text', kinds: ['email'], called: { zh: '正文', en: 'text' }, form: text },
  {
    key: 'html',
    kinds: ['email'],
    called: { zh: ' HTML 正文', en: 'HTML text' },
    form: text,
  },
  {
    key: 'card',
    kinds: ['feishu-bot', 'feishu-message'],
    called: { zh: '卡片', en: 'card' },
    form: object(),
  },
  {
    key: 'allowRecipientFromEvent',
    kinds: ['email'],
    called: { zh: '可取自事件的收件域名', en: 'domains allowed for receivers from the event' },
    many: true,
    form: listOf(text, COMMA, /"/y),
  },
];

/** Headers are always there, some of them empty. */
const NO_HEADERS = { headers: {} };

/** `其中步骤 remind 的 mail-partner 的正文为 `: each detail that there may be, in order, with the text before it. */
function* placesOf(
  actions: readonly PlacedAction[],
  by: { readonly language: Language },
): Generator<{ readonly at: number; readonly detail: Detail; readonly opening: string }> {
  const { language } = by;
  const seen = new Map<string, number>();
  for (const [at, { step, action }] of actions.entries()) {
    const name = referenceTo(step, action.name, language);
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    // The loader refuses two actions of one name; the sentence can tell them apart all the same.
    const reference = times === 1 ? name : `${name} #${times}`;
    for (const detail of DETAILS) {
      if (!detail.kinds.includes(action.type)) continue;
      const called = detail.called[language];
      const opening = {
        zh: `\n其中${reference} 的${called}为 `,
        en: `\nThe ${called} of ${reference} ${detail.many ? 'are' : 'is'} `,
      }[language];
      yield { at, detail, opening };
    }
  }
}

function referenceTo(step: PlacedAction['step'], action: string, language: Language): string {
  const by = { language } as Wording;
  const name = word.write(action, by);
  if (step === null) return { zh: ` ${name}`, en: name }[language];
  if (typeof step === 'number')
    return { zh: `第 ${step} 步的 ${name}`, en: `${name} in step ${step}` }[language];
  const called = word.write(step, by);
  return { zh: `步骤 ${called} 的 ${name}`, en: `${name} in step ${called}` }[language];
}

const STOP: Texts = { zh: '。', en: '.' };

/** The same, with what takes each back behind it. */
function withUndos(actions: readonly PlacedAction[]): readonly PlacedAction[] {
  return actions.flatMap((one) => {
    const undo = undoOf(one.action);
    return undo ? [one, { ...one, action: undo }] : [one];
  });
}

/** The details of all actions and of what takes them back, each on a line. */
export function writeDetails(all: readonly PlacedAction[], by: Wording): string {
  const actions = withUndos(all);
  let written = '';
  for (const { at, detail, opening } of placesOf(actions, by)) {
    const value = new Map<string, unknown>(Object.entries(actions[at]?.action ?? {})).get(detail.key);
    const usual = detail.key === 'headers' && Object.keys(value ?? {}).length === 0;
    if (value !== undefined && !usual)
      written += `${opening}${detail.form.write(value, by)}${STOP[by.language]}`;
  }
  return written;
}

/** The same actions, with their details. */
export function readDetails(all: readonly PlacedAction[], from: Cursor): readonly ActionDocument[] {
  const actions = withUndos(all);
  const details = actions.map(({ action }): object => (action.type === 'http' ? NO_HEADERS : {}));
  for (const { at, detail, opening } of placesOf(actions, from)) {
    if (!from.skip(opening)) continue;
    details[at] = { ...details[at], [detail.key]: detail.form.read(from) };
    from.take(STOP[from.language]);
  }
  const read = actions.map(({ action }, at): ActionDocument => ({ ...action, ...details[at] }));
  let next = 0;
  return all.map(({ action }) => {
    const own = read[next++] ?? action;
    return undoOf(action) ? { ...own, undo: read[next++] } : own;
  });
}
