import type {
  EmailDocument,
  FeishuBotDocument,
  FeishuMessageDocument,
} from '../../action/action-document.js';
import { type Clause, clausesOf, COMMA, type Form, listOf, record } from './form.js';
import { text, word } from './json-form.js';

const mail = clausesOf<EmailDocument>();
const addresses = listOf(text, COMMA, /"/y) as Form<string[]>;

/** But for what all kinds of action have, and for its texts. */
export const emailClauses: readonly Clause<EmailDocument>[] = [
  mail.sure({ zh: '{to}', en: '{to}' }, { to: addresses }),
  mail.said({ zh: '，抄送 {cc}', en: ', copy to {cc}' }, { cc: addresses }),
  mail.said({ zh: '，密送 {bcc}', en: ', blind copy to {bcc}' }, { bcc: addresses }),
  mail.said({ zh: '，回复至 {replyTo}', en: ', answers to {replyTo}' }, { replyTo: addresses }),
  mail.sure({ zh: '，主题为 {subject}', en: ', with the subject {subject}' }, { subject: text }),
];

const bot = clausesOf<FeishuBotDocument>();

export const feishuBotClauses: readonly Clause<FeishuBotDocument>[] = [
  bot.sure({ zh: '{url}', en: '{url}' }, { url: text }),
  bot.said({ zh: '，以密钥 {sign} 签名', en: ', signed with the secret {sign}' }, { sign: word }),
  bot.said({ zh: '，内容为 {text}', en: ', saying {text}' }, { text }),
];

interface Receiver {
  readonly kind: string;
  readonly id: string;
}
const receiverList = listOf(
  record([clausesOf<Receiver>().sure({ zh: '{kind} {id}', en: '{kind} {id}' }, { kind: word, id: text })]),
  { zh: '、', en: ' and ' },
);

/** `{open_id: …}` */
const receivers: Form<FeishuMessageDocument['to']> = {
  write: (to, by) =>
    receiverList.write(
      Object.entries(to).flatMap(([kind, id]) => (id === undefined ? [] : { kind, id })),
      by,
    ),
  read: (from) => Object.fromEntries(receiverList.read(from).map(({ kind, id }) => [kind, id])),
};

const message = clausesOf<FeishuMessageDocument>();

export const feishuMessageClauses: readonly Clause<FeishuMessageDocument>[] = [
  message.sure({ zh: '{to}', en: '{to}' }, { to: receivers }),
  message.said({ zh: '，经应用 {app}', en: ', through the app {app}' }, { app: word }),
  message.said({ zh: '，内容为 {text}', en: ', saying {text}' }, { text }),
];
