import type { HttpDocument } from '../../action/action-document.js';
import { milliseconds } from './duration-form.js';
import { type Clause, clausesOf, COMMA, either, type Form, listOf, record } from './form.js';
import { json, number, text, word } from './json-form.js';

const said = clausesOf<HttpDocument>();

type Success = Exclude<HttpDocument['success'], undefined>;
type ByStatus = Extract<Success, { status: unknown }>;
type ByAnswer = Extract<Success, { path: unknown }>;

const byStatus: Form<ByStatus> = record([
  clausesOf<ByStatus>().sure(
    { zh: '{status}', en: '{status}' },
    { status: listOf(number, COMMA, /[\d-]/y) as Form<number[]> },
  ),
]);
const byAnswer: Form<ByAnswer> = record([
  clausesOf<ByAnswer>().sure(
    { zh: ' {path} 为 {equal}', en: ' {path} in the answer is {equal}' },
    { path: word, equal: json as Form<ByAnswer['equal']> },
  ),
]);

/** What counts as success. */
const success = either<HttpDocument>([
  [
    (action) => action.success !== undefined && 'status' in action.success,
    said.said(
      { zh: '，应答状态为 {success} 才算成功', en: ', which succeeds with the status {success}' },
      { success: byStatus },
    ),
  ],
  [
    (action) => action.success !== undefined,
    said.said(
      { zh: '，应答内容中{success} 才算成功', en: ', which succeeds when{success}' },
      { success: byAnswer },
    ),
  ],
]);

/** But for what all kinds of action have, and for its texts. */
export const httpClauses: readonly Clause<HttpDocument>[] = [
  said.sure(
    { zh: '{url} 发送 {method} 请求', en: '{method} request to {url}' },
    { url: text, method: word as Form<HttpDocument['method']> },
  ),
  said.when('auth', 'feishu', { zh: '，带飞书应用令牌', en: ', with the token of a Feishu app' }),
  said.said({ zh: '，经应用 {app}', en: ', through the app {app}' }, { app: word }),
  said.said({ zh: '，以密钥 {sign} 签名', en: ', signed with the secret {sign}' }, { sign: word }),
  said.unless(
    'timeout',
    15_000,
    said.said({ zh: '，限时 {timeout}', en: ', with {timeout} to answer' }, { timeout: milliseconds }),
  ),
  success,
];
