import { type Action, compileAction, type ReportProblem } from './action.js';
import type { ActionDocument } from './action-document.js';

/** Stand-ins for what is broken: they are sound, so that nothing is said of them. */
const A_URL = 'https://stand-in.invalid/';
const AN_ADDRESS = 'stand.in@example.com';

/**
 * Checks the templates, the URL and the addresses of an action, also of one that is otherwise broken, and what its
 * keys say together. Problems go to `report`. `given` is the action as the file holds it. Returns what the templates
 * read without a default.
 */
export function checkAction(
  kind: ActionDocument['type'],
  given: Readonly<Record<string, unknown>>,
  report: ReportProblem,
): Action['reads'] {
  if (kind === 'http') checkHttp(given, report);
  else if (given['text'] === undefined && given['html'] === undefined)
    report([], 'ACTION_KEY_MISSING', '"text" or "html" is missing', 'Add "text", "html" or both.');
  return compileAction(kind === 'http' ? soundHttp(given) : soundEmail(given), report).reads;
}

function checkHttp(
  { method, body, headers }: Readonly<Record<string, unknown>>,
  report: ReportProblem,
): void {
  if (body !== undefined && (method === 'GET' || method === 'HEAD')) {
    report(
      ['body'],
      'ACTION_VALUE_INVALID',
      `"body" cannot be sent with ${method}`,
      'Remove it, or use POST.',
    );
  }
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

function soundHttp({ url, headers, body }: Readonly<Record<string, unknown>>): ActionDocument {
  return {
    type: 'http',
    name: 'a',
    method: 'POST',
    url: typeof url === 'string' && url !== '' ? url : A_URL,
    headers: textsIn(headers),
    ...(body === undefined ? {} : { body: body as never }),
    timeout: 1000,
  };
}

function textsIn(headers: unknown): Record<string, string> {
  if (typeof headers !== 'object' || headers === null) return {};
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function soundEmail(given: Readonly<Record<string, unknown>>): ActionDocument {
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
