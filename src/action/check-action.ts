import { type Action, compileAction, type ReportProblem } from './action.js';
import { type ActionDocument, hasAuthorization, signatureHeaderIn } from './action-document.js';
import { RECEIVER_KINDS } from './sender.js';

/** Stand-ins for what is broken: they are sound, so that nothing is said of them. */
const A_URL = 'https://stand-in.invalid/';
const AN_ADDRESS = 'stand.in@example.com';

type Given = Readonly<Record<string, unknown>>;

/**
 * Checks the templates, the URL and the receivers of an action, also of one that is otherwise broken, and what its
 * keys say together. Problems go to `report`. `given` is the action as the file holds it. Returns what the templates
 * read without a default.
 */
export function checkAction(
  kind: ActionDocument['type'],
  given: Given,
  report: ReportProblem,
): Action['reads'] {
  switch (kind) {
    case 'http':
      checkHttp(given, report);
      return compileAction(soundHttp(given), report).reads;
    case 'email':
      if (given['text'] === undefined && given['html'] === undefined)
        report([], 'ACTION_KEY_MISSING', '"text" or "html" is missing', 'Add "text", "html" or both.');
      return compileAction(soundEmail(given), report).reads;
    case 'feishu-bot':
      checkMessage(given, report);
      return compileAction(soundBot(given), report).reads;
    case 'feishu-message':
      checkMessage(given, report);
      return compileAction(soundMessage(given), report).reads;
  }
}

function checkMessage({ text, card }: Given, report: ReportProblem): void {
  if (text === undefined && card === undefined)
    report([], 'ACTION_KEY_MISSING', '"text" or "card" is missing', 'Add one of the two.');
  if (text !== undefined && card !== undefined)
    report(['card'], 'ACTION_VALUE_INVALID', '"card" cannot stand beside "text"', 'Remove one of the two.');
}

function checkHttp({ method, body, headers, auth, app, sign }: Given, report: ReportProblem): void {
  if (body !== undefined && (method === 'GET' || method === 'HEAD')) {
    report(
      ['body'],
      'ACTION_VALUE_INVALID',
      `"body" cannot be sent with ${method}`,
      'Remove it, or use POST.',
    );
  }
  if (app !== undefined && auth === undefined)
    report(['app'], 'ACTION_VALUE_INVALID', '"app" needs "auth": "feishu"', 'Add it, or remove "app".');
  if (auth !== undefined && hasAuthorization(textsIn(headers)))
    report(
      ['headers'],
      'ACTION_VALUE_INVALID',
      '"headers" cannot hold "authorization" beside "auth", which sets it',
      'Remove the header.',
    );
  if (sign !== undefined && auth !== undefined)
    report(
      ['sign'],
      'ACTION_VALUE_INVALID',
      '"sign" cannot stand beside "auth": Feishu knows the app by its token',
      'Remove one of the two.',
    );
  const signature = signatureHeaderIn(textsIn(headers));
  if (sign !== undefined && signature !== null)
    report(
      ['headers', signature],
      'ACTION_VALUE_INVALID',
      `"headers" cannot hold "${signature}" beside "sign", which sets it`,
      'Remove the header.',
    );
  const seen = new Set<string>();
  for (const name of Object.keys(textsIn(headers))) {
    if (seen.has(name.toLowerCase())) {
      report(
        ['headers', name],
        'ACTION_KEY_INVALID',
        `the header "${name}" stands twice: case makes no difference`,
        'Remove one of the two.',
      );
    }
    seen.add(name.toLowerCase());
  }
}

function soundHttp({ url, headers, body, auth, sign }: Given): ActionDocument {
  return {
    type: 'http',
    name: 'a',
    method: 'POST',
    url: textOr(url, A_URL),
    headers: textsIn(headers),
    ...(body === undefined ? {} : { body: body as never }),
    ...(auth === undefined ? {} : { auth: 'feishu' as const }),
    ...(typeof sign === 'string' ? { sign } : {}),
    timeout: 1000,
  };
}

function soundBot({ url, sign, ...given }: Given): ActionDocument {
  return {
    type: 'feishu-bot',
    name: 'a',
    url: textOr(url, A_URL),
    ...(typeof sign === 'string' ? { sign } : {}),
    ...soundText(given),
  };
}

function soundMessage({ to, ...given }: Given): ActionDocument {
  const receivers = textsIn(to);
  const kind = RECEIVER_KINDS.find((one) => Object.hasOwn(receivers, one));
  return {
    type: 'feishu-message',
    name: 'a',
    to: kind === undefined ? { open_id: 'ou_stand_in' } : { [kind]: receivers[kind] },
    ...soundText(given),
  };
}

function soundText({ text, card }: Given): { text: string } | { card: Record<string, never> } {
  if (typeof card === 'object' && card !== null && !Array.isArray(card))
    return { card: card as Record<string, never> };
  return { text: textOr(text, 'a') };
}

const textOr = (value: unknown, otherwise: string): string =>
  typeof value === 'string' && value !== '' ? value : otherwise;

/** The members of an object that are texts. */
function textsIn(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function soundEmail(given: Given): ActionDocument {
  const addresses = (key: string): string[] => {
    const value = given[key];
    const list: readonly unknown[] = Array.isArray(value) ? value : typeof value === 'string' ? [value] : [];
    return list.map((one) => (typeof one === 'string' ? one : AN_ADDRESS));
  };
  const text = (key: string): string | undefined => {
    const value = given[key];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    type: 'email',
    name: 'a',
    to: addresses('to'),
    cc: addresses('cc'),
    bcc: addresses('bcc'),
    replyTo: addresses('replyTo'),
    subject: text('subject') ?? '',
    text: text('text'),
    html: text('html'),
    // Which domains they are is no matter here; that there are some is.
    ...(given['allowRecipientFromEvent'] === undefined ? {} : { allowRecipientFromEvent: [] }),
  };
}
