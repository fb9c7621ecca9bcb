import type { Action, HttpContent } from './action.js';
import { type ActionCompiler, type ReportProblem, Slots } from './action-compiler.js';
import type { HttpDocument } from './action-document.js';
import { type Rendered, RenderError, renderTemplate, type TemplateScope, textOf } from './render-template.js';
import type { FeishuAuth } from './sender.js';
import type { Template } from './template.js';

/** Where the URL of a request to Feishu's own APIs may begin: the domain is that of the app. */
const PLATFORM_PATH = '/open-apis/';
/** Stands for that domain where it is not known yet. */
const A_DOMAIN = 'https://platform.invalid';

/** @see compileAction */
export function compileHttp(document: HttpDocument, compiler: ActionCompiler): Action['render'] {
  const { auth } = document;
  const url = compiler.template(document.url, ['url']);
  if (auth === undefined || !startsWith(url, PLATFORM_PATH)) checkUrl(document.url, url, compiler.report);
  const headers = Object.entries(document.headers).map(
    ([name, text]) => [name.toLowerCase(), compiler.template(text, ['headers', name])] as const,
  );
  const body = document.body === undefined ? undefined : compiler.tree(document.body, ['body']);
  checkTextBody(document, compiler.report);
  const { sign } = document;
  if (sign !== undefined) compiler.secretNames.add(sign);
  return (scope) => {
    const slots = new Slots();
    const rendered = renderTemplate(url, scope, encodeURIComponent);
    const content: HttpContent = {
      method: document.method,
      url: slots.text(rendered, ['url'], typeof url[0] === 'string'),
      headers: Object.fromEntries(
        headers.map(([name, template]) => [
          name,
          slots.text(renderTemplate(template, scope), ['headers', name]),
        ]),
      ),
      ...(body === undefined ? {} : { body: body(scope, slots) }),
      timeoutMs: document.timeout,
      success: document.success ?? null,
      ...(auth === undefined ? {} : { auth: authOf(document.app, scope) }),
      ...(sign === undefined ? {} : { sign: slots.text({ pieces: [{ secret: sign }] }, ['sign']) }),
    };
    return {
      target: `http:${placeOf(rendered, url)}`.slice(0, 200),
      request: { kind: 'http', content, secrets: slots.secrets, retry: document.retry ?? null },
    };
  };
}

const startsWith = ([first]: Template, text: string): boolean =>
  typeof first === 'string' && first.startsWith(text);

/** Which app sends: the named one, else the one that the event came from. */
export function authOf(app: string | undefined, scope: TemplateScope): FeishuAuth {
  // Always the envelope's, never what an employee typed.
  const eventApp = scope.read(['event', 'app_id']);
  return { app: app ?? null, eventApp: typeof eventApp === 'string' ? eventApp : null };
}

/** Scheme, host and port stand in the rule file, or the whole URL begins with a secret; an event gives neither. */
export function checkUrl(text: string, template: Template, report: ReportProblem): void {
  const [first] = template;
  if (first === undefined) return;
  if (typeof first !== 'string') {
    if (first.path[0] === 'secrets') return;
    report(
      ['url'],
      'URL_HOST_FROM_EVENT',
      'the URL begins with a value of the event',
      'Write scheme and host in the rule file, like https://host/{{ … }}.',
    );
    return;
  }
  const authority = /^https?:\/\/([^/?#]*)([/?#]?)/i.exec(first);
  if (!authority) {
    report(
      ['url'],
      'URL_INVALID',
      `"${text}" is no http or https URL`,
      text.startsWith(PLATFORM_PATH)
        ? 'For an API of Feishu add "auth": "feishu", else begin it with https:// and a host.'
        : 'Begin it with https:// or http:// and a host.',
    );
  } else if (authority[2] === '' && template.length > 1) {
    report(
      ['url'],
      'URL_HOST_FROM_EVENT',
      'the host of the URL depends on a placeholder',
      'Write the whole host in the rule file, and a "/" behind it.',
    );
  } else if (authority[1]?.includes('@')) {
    report(
      ['url'],
      'URL_INVALID',
      'the URL holds a user name',
      'Send an "authorization" header with {{ secrets.NAME }}.',
    );
  } else if (!URL.canParse(template.length > 1 ? authority[0] : first)) {
    report(['url'], 'URL_INVALID', `"${text}" is no URL`, 'Write it like https://host/path.');
  }
}

/** A text that looks like JSON would be broken by the first event with a quotation mark in it. */
function checkTextBody(document: HttpDocument, report: ReportProblem): void {
  if (typeof document.body !== 'string' || !document.body.includes('{{')) return;
  const type = Object.entries(document.headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1];
  if (/^\s*(?:\{(?!\{)|\[)/.test(document.body) || type?.includes('json')) {
    report(
      ['body'],
      'BODY_JSON_AS_TEXT',
      'the body is JSON written as text: a quotation mark in an event would break it',
      'Write the body as JSON, without the outer quotes.',
    );
  }
}

/**
 * The host that a rendered URL leads to, or `secret:NAME` when it begins with a secret.
 *
 * @throws RenderError when it is no URL, or climbs out of its path
 */
export function placeOf(rendered: Rendered, template: Template): string {
  const first = template[0];
  if (first !== undefined && typeof first !== 'string') return `secret:${first.path[1] ?? ''}`;
  const text =
    'value' in rendered
      ? textOf(rendered.value)
      : rendered.pieces.map((piece) => (typeof piece === 'string' ? piece : 'secret')).join('');
  const atPlatform = startsWith(template, PLATFORM_PATH);
  const whole = atPlatform ? A_DOMAIN + text : text;
  if (!URL.canParse(whole)) throw new RenderError('URL_INVALID', 'the rendered URL is no URL');
  // Dot segments would climb out of the path that the rule file wrote, also when they are percent-encoded.
  if (template.length > 1 && /\/(?:\.|%2e){1,2}(?:\/|$)/i.test(text.split(/[?#]/)[0] ?? '')) {
    throw new RenderError('URL_INVALID', 'a value of the event is "." or ".." in the path of the URL');
  }
  return atPlatform ? 'feishu' : new URL(whole).host;
}
