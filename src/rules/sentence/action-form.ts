import {
  type ActionDocument,
  type HttpDocument,
  type RetryDocument,
  undoOf,
} from '../../action/action-document.js';
import type { ConditionDocument } from '../condition-document.js';
import { conditionOnOneLine } from './condition-form.js';
import { milliseconds } from './duration-form.js';
import { type Clause, clausesOf, COMMA, either, type Form, listOf, record } from './form.js';
import { httpClauses } from './http-form.js';
import { number, word } from './json-form.js';
import type { Texts } from './language.js';
import { emailClauses, feishuBotClauses, feishuMessageClauses } from './message-forms.js';

/** What every kind of action may say. */
type Shared = Pick<HttpDocument, 'order' | 'retry'>;
const shared = clausesOf<Shared>();

type Spread = Extract<RetryDocument, { over: unknown }>;
const spread = clausesOf<Spread>();
const spreadOver: Form<Spread> = record([
  spread.sure({ zh: '{over}', en: '{over}' }, { over: milliseconds }),
  spread.said({ zh: '、最多 {max} 次', en: ', at most {max} times' }, { max: number }),
]);

const sharedClauses: readonly Clause<Shared>[] = [
  shared.when('order', 'none', { zh: '，不分先后', en: ', in no order' }),
  shared.when('order', 'task', {
    zh: '，同一审批任务的依次发送',
    en: ', in order for each approval task',
  }),
  shared.when('order', 'process', { zh: '，同一流程的依次发送', en: ', in order for each process' }),
  either<Shared>([
    [
      ({ retry }) => Array.isArray(retry),
      shared.said(
        { zh: '，失败后隔 {retry}重试', en: ', tried again after {retry}' },
        { retry: listOf(milliseconds, COMMA, /[\d-]/y) as Form<RetryDocument> },
      ),
    ],
    [
      ({ retry }) => retry !== undefined,
      shared.said(
        { zh: '，失败后重试，历时 {retry}', en: ', tried again over {retry}' },
        { retry: spreadOver },
      ),
    ],
  ]),
];

type Kind = ActionDocument['type'];

/** What is said of each kind. An opening that another begins with comes after it. */
const KINDS: readonly {
  readonly type: Kind;
  readonly opening: Texts;
  readonly form: Form<ActionDocument>;
}[] = [
  kind('email', { zh: '发邮件给 ', en: 'send an e-mail to ' }, emailClauses),
  kind('feishu-bot', { zh: '发飞书机器人消息到 ', en: 'send a Feishu bot message to ' }, feishuBotClauses),
  kind('feishu-message', { zh: '发飞书消息给 ', en: 'send a Feishu message to ' }, feishuMessageClauses),
  kind('http', { zh: '向 ', en: 'send a ' }, httpClauses),
];

function kind<Document extends ActionDocument>(
  type: Document['type'],
  opening: Texts,
  clauses: readonly Clause<Document>[],
): (typeof KINDS)[number] {
  const form = record<Document>([...clauses, ...(sharedClauses as readonly Clause<Document>[])]);
  return { type, opening, form: form };
}

const IF: Texts = { zh: '若', en: 'if ' };
const THEN: Texts = { zh: '，则', en: ', then ' };
const COLON: Texts = { zh: '：', en: ': ' };
const UNDONE: Texts = { zh: '，召回时撤销用 ', en: ', undone in a recall by ' };

/** An action as a line: `mail-hr：发邮件给 …`. Without what is said behind the sentence. */
export const action: Form<ActionDocument> = {
  write: (document, by) => {
    const { language } = by;
    const said = KINDS.find(({ type }) => type === document.type);
    if (!said) throw new Error(`there are no words for an action of the type ${document.type}`);
    // The check of the rule files has read them.
    const when = document.when as ConditionDocument | undefined;
    const asked = when ? `${IF[language]}${conditionOnOneLine.write(when, by)}${THEN[language]}` : '';
    const undo = undoOf(document);
    const undone = undo ? `${UNDONE[language]}${action.write(undo, by)}` : '';
    return `${word.write(document.name, by)}${COLON[language]}${asked}${said.opening[language]}${said.form.write(document, by)}${undone}`;
  },
  read: (from) => {
    const { language } = from;
    const name = word.read(from);
    from.take(COLON[language]);
    const when = from.skip(IF[language]) ? conditionOnOneLine.read(from) : undefined;
    if (when) from.take(THEN[language]);
    const said = KINDS.find(({ opening }) => from.skip(opening[language]));
    if (!said) return from.fail('what is sent belongs here');
    const sent = said.form.read(from);
    const undo = from.skip(UNDONE[language]) ? action.read(from) : undefined;
    return {
      ...sent,
      name,
      type: said.type,
      ...(when ? { when } : {}),
      ...(undo ? { undo } : {}),
    } as ActionDocument;
  },
};
