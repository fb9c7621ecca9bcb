import type { Action } from './action.js';
import { type ActionCompiler, placeholdersIn, Slots } from './action-compiler.js';
import type { FeishuBotDocument, FeishuMessageDocument } from './action-document.js';
import { authOf, checkUrl, placeOf } from './http-action.js';
import { isPlainAddress } from './mail-address.js';
import { RenderError, renderTemplate, type TemplateScope, textOf } from './render-template.js';
import { type FeishuText, RECEIVER_KINDS, type ReceiverKind } from './sender.js';
import type { Template } from './template.js';

const MAX_ID = 200;

/** @see compileAction */
export function compileFeishuBot(document: FeishuBotDocument, compiler: ActionCompiler): Action['render'] {
  const url = compiler.template(document.url, ['url']);
  checkUrl(document.url, url, compiler.report);
  const message = compileMessage(document, compiler);
  const { sign } = document;
  if (sign !== undefined) compiler.secretNames.add(sign);
  return (scope) => {
    const slots = new Slots();
    const rendered = renderTemplate(url, scope, encodeURIComponent);
    const content = {
      url: slots.text(rendered, ['url'], typeof url[0] === 'string'),
      // As a secret that is put in at the moment of sending, like any other.
      signSecret: sign === undefined ? null : slots.text({ pieces: [{ secret: sign }] }, ['signSecret']),
      ...message(scope, slots),
    };
    return {
      target: `feishu-bot:${placeOf(rendered, url).replace(/^secret:/, '')}`.slice(0, 200),
      request: { kind: 'feishu-bot', content, secrets: slots.secrets, retry: document.retry ?? null },
    };
  };
}

/** @see compileAction */
export function compileFeishuMessage(
  document: FeishuMessageDocument,
  compiler: ActionCompiler,
): Action['render'] {
  const kind = RECEIVER_KINDS.find((one) => document.to[one] !== undefined) ?? 'open_id';
  const written = document.to[kind] ?? '';
  const id = compiler.template(written, ['to', kind]);
  checkReceiver(kind, written, id, (code, text, mend) => {
    compiler.report(['to', kind], code, text, mend);
  });
  const message = compileMessage(document, compiler);
  return (scope) => {
    const slots = new Slots();
    const rendered = renderTemplate(id, scope);
    const receiver = slots.text(rendered, ['to', 'id']);
    if ('value' in rendered) checkId(kind, receiver);
    const shown = 'value' in rendered ? receiver : secretsAsNames(rendered.pieces);
    const content = {
      ...authOf(document.app, scope),
      to: { kind, id: receiver },
      ...message(scope, slots),
    };
    return {
      target: `feishu-message:${kind}:${shown}`.slice(0, 200),
      request: { kind: 'feishu-message', content, secrets: slots.secrets, retry: document.retry ?? null },
    };
  };
}

function compileMessage(
  { text, card }: Pick<FeishuBotDocument, 'text' | 'card'>,
  compiler: ActionCompiler,
): (scope: TemplateScope, slots: Slots) => FeishuText {
  if (card !== undefined) {
    const tree = compiler.tree(card, ['card']);
    // A tree of an object is an object.
    return (scope, slots) => ({ text: null, card: tree(scope, slots) as Record<string, unknown> });
  }
  const template = compiler.template(text ?? '', ['text']);
  return (scope, slots) => ({ text: slots.text(renderTemplate(template, scope), ['text']), card: null });
}

/** A chat is an audience that the rule's author chooses, as the host of a URL is. */
function checkReceiver(
  kind: ReceiverKind,
  written: string,
  template: Template,
  report: (code: string, message: string, mend: string) => void,
): void {
  const placeholders = placeholdersIn(template);
  if (kind === 'chat_id' && placeholders.some(({ path }) => path[0] !== 'secrets' && path[0] !== 'rule'))
    report(
      'CHAT_FROM_EVENT',
      'the chat depends on a value of the event',
      'Write the chat_id in the rule file, or take it from a secret like {{ secrets.HR_CHAT }}.',
    );
  if (kind === 'email' && template.length > 0 && placeholders.length === 0 && !isPlainAddress(written))
    report(
      'ADDRESS_INVALID',
      `"${written}" is no plain mail address`,
      'Write one address, like hr@example.com, without a name.',
    );
}

/** Ids and addresses may come from events, which are data of anybody. */
function checkId(kind: ReceiverKind, id: string): void {
  if (kind === 'email' ? !isPlainAddress(id) : !/^[\x21-\x7e]+$/.test(id) || id.length > MAX_ID)
    throw new RenderError('ADDRESS_INVALID', `a value of the event makes no ${kind} in "to"`);
}

const secretsAsNames = (pieces: readonly (string | { readonly secret: string })[]): string =>
  pieces.map((piece) => textOf(typeof piece === 'string' ? piece : piece.secret)).join('');
