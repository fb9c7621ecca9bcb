import type { ActionDocument, EmailDocument, HttpDocument, RetryDocument } from './action-document.js';
import { isPlainAddress } from './mail-address.js';
import {
  escapeHtml,
  type Rendered,
  RenderError,
  renderTemplate,
  type SecretReference,
  type TemplateScope,
  textOf,
} from './render-template.js';
import { parseTemplate, type Placeholder, type Template, TemplateError } from './template.js';
import type { EmailRequest, HttpSuccess } from './sender.js';

/** Where in a request a text with secrets stands, and what it is put together from at the moment of sending. */
export interface SecretSlot {
  readonly at: readonly (string | number)[];
  readonly pieces: readonly (string | SecretReference)[];
  /** The secrets stand within a URL and are percent-encoded there. */
  readonly encode: boolean;
}

export interface HttpContent {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON or text; absent: none. */
  readonly body?: unknown;
  readonly timeoutMs: number;
  readonly success: HttpSuccess | null;
}

/** A rendered action as it is stored. What holds secrets is null in `content` and described in `secrets`. */
export type RenderedRequest = {
  readonly secrets: readonly SecretSlot[];
  readonly retry: RetryDocument | null;
} & (
  | { readonly kind: 'http'; readonly content: HttpContent }
  | { readonly kind: 'email'; readonly content: EmailRequest }
);

/** An action of a rule, checked and parsed. */
export interface Action {
  readonly name: string;
  readonly kind: 'http' | 'email';
  /** Names used as `secrets.NAME`. */
  readonly secretNames: readonly string[];
  /** Paths that the templates read without a default: they must be there. */
  readonly reads: readonly { readonly path: readonly string[]; readonly at: readonly (string | number)[] }[];
  /**
   * Fills the templates.
   *
   * @throws RenderError when this event lacks a value or a value does not fit its place
   */
  render(scope: TemplateScope): { readonly target: string; readonly request: RenderedRequest };
}

/** Something wrong in an action: where (below the action), what, and how to mend it. */
export type ReportProblem = (
  at: readonly (string | number)[],
  code: string,
  message: string,
  mend: string,
) => void;

/** Checks the templates, the URL and the addresses of an action. Problems go to `report`; then the action is of no use. */
export function compileAction(document: ActionDocument, report: ReportProblem): Action {
  const compiler = new Compiler(report);
  const render =
    document.type === 'http' ? compileHttp(document, compiler) : compileEmail(document, compiler);
  return {
    name: document.name,
    kind: document.type,
    secretNames: [...compiler.secretNames],
    reads: compiler.reads,
    render,
  };
}

class Compiler {
  readonly secretNames = new Set<string>();
  readonly reads: { path: readonly string[]; at: readonly (string | number)[] }[] = [];

  constructor(readonly report: ReportProblem) {}

  template(text: string, at: readonly (string | number)[]): Template {
    let template: Template;
    try {
      template = parseTemplate(text);
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      this.report(at, 'TEMPLATE_INVALID', `${error.message} (character ${error.offset + 1})`, error.mend);
      return [];
    }
    for (const { path, filters } of placeholders(template)) {
      if (path[0] === 'secrets') this.secretNames.add(path[1] ?? '');
      else if (!filters.some((filter) => filter.name === 'default')) this.reads.push({ path, at });
    }
    return template;
  }
}

function placeholders(template: Template): Placeholder[] {
  return template.filter((part) => typeof part !== 'string');
}

const readsEvent = (template: Template): boolean =>
  placeholders(template).some(({ path }) => path[0] !== 'secrets');

/** Puts rendered texts into a request and notes the places that wait for secrets. */
class Slots {
  readonly secrets: SecretSlot[] = [];

  text(rendered: Rendered, at: readonly (string | number)[], encode = false): string {
    return textOf(this.value(rendered, at, encode));
  }

  value(rendered: Rendered, at: readonly (string | number)[], encode = false): unknown {
    if ('value' in rendered) return rendered.value;
    this.secrets.push({ at, pieces: rendered.pieces, encode });
    return null;
  }
}

function compileHttp(document: HttpDocument, compiler: Compiler): Action['render'] {
  const url = compiler.template(document.url, ['url']);
  checkUrl(document.url, url, compiler.report);
  const headers = Object.entries(document.headers).map(
    ([name, text]) => [name.toLowerCase(), compiler.template(text, ['headers', name])] as const,
  );
  const body = document.body === undefined ? undefined : compileTree(document.body, ['body'], compiler);
  checkTextBody(document, compiler.report);
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
    };
    return {
      target: httpTarget(rendered, url),
      request: { kind: 'http', content, secrets: slots.secrets, retry: document.retry ?? null },
    };
  };
}

/** Scheme, host and port stand in the rule file, or the whole URL begins with a secret; an event gives neither. */
function checkUrl(text: string, template: Template, report: ReportProblem): void {
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
      'Begin it with https:// or http:// and a host.',
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

type RenderTree = (scope: TemplateScope, slots: Slots) => unknown;

function compileTree(value: unknown, at: readonly (string | number)[], compiler: Compiler): RenderTree {
  if (typeof value === 'string') {
    const template = compiler.template(value, at);
    return template.every((part) => typeof part === 'string')
      ? () => value
      : (scope, slots) => slots.value(renderTemplate(template, scope), at);
  }
  if (Array.isArray(value)) {
    const parts = value.map((one, index) => compileTree(one, [...at, index], compiler));
    return (scope, slots) => parts.map((part) => part(scope, slots));
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(
      ([key, one]) => [key, compileTree(one, [...at, key], compiler)] as const,
    );
    return (scope, slots) => Object.fromEntries(members.map(([key, member]) => [key, member(scope, slots)]));
  }
  return () => value;
}

function httpTarget(rendered: Rendered, template: Template): string {
  const first = template[0];
  if (first !== undefined && typeof first !== 'string') return `http:secret:${first.path[1] ?? ''}`;
  const text =
    'value' in rendered
      ? textOf(rendered.value)
      : rendered.pieces.map((piece) => (typeof piece === 'string' ? piece : 'secret')).join('');
  if (!URL.canParse(text)) throw new RenderError('URL_INVALID', 'the rendered URL is no URL');
  const url = new URL(text);
  // Dot segments would climb out of the path that the rule file wrote, also when they are percent-encoded.
  if (template.length > 1 && /\/(?:\.|%2e){1,2}(?:\/|$)/i.test(text.split(/[?#]/)[0] ?? '')) {
    throw new RenderError('URL_INVALID', 'a value of the event is "." or ".." in the path of the URL');
  }
  return `http:${url.host}`.slice(0, 200);
}

const ADDRESS_FIELDS = ['to', 'cc', 'bcc', 'replyTo'] as const;

function compileEmail(document: EmailDocument, compiler: Compiler): Action['render'] {
  const domains = document.allowRecipientFromEvent;
  const lists = ADDRESS_FIELDS.map((field) => {
    const templates = (document[field] ?? []).map((text, index) => {
      const template = compiler.template(text, [field, index]);
      checkAddress(text, template, domains, (code, message, mend) => {
        compiler.report([field, index], code, message, mend);
      });
      return template;
    });
    return [field, templates] as const;
  });
  const subject = compiler.template(document.subject, ['subject']);
  const text = document.text === undefined ? null : compiler.template(document.text, ['text']);
  const html = document.html === undefined ? null : compiler.template(document.html, ['html']);
  return (scope) => {
    const slots = new Slots();
    const addresses = Object.fromEntries(
      lists.map(([field, templates]) => [
        field,
        templates.map((template, index) => renderAddress(template, scope, domains, slots, [field, index])),
      ]),
    ) as Record<(typeof ADDRESS_FIELDS)[number], string[]>;
    const content: EmailRequest = {
      ...addresses,
      subject: slots.text(renderTemplate(subject, scope), ['subject']),
      text: text && slots.text(renderTemplate(text, scope), ['text']),
      html: html && slots.text(renderTemplate(html, scope, escapeHtml), ['html']),
    };
    return {
      target: `email:${addresses.to[0] ?? ''}`,
      request: { kind: 'email', content, secrets: slots.secrets, retry: document.retry ?? null },
    };
  };
}

function checkAddress(
  text: string,
  template: Template,
  domains: readonly string[] | undefined,
  report: (code: string, message: string, mend: string) => void,
): void {
  if (template.length === 1 && typeof template[0] === 'string') {
    if (!isPlainAddress(text)) {
      report(
        'ADDRESS_INVALID',
        `"${text}" is no plain mail address`,
        'Write one address per entry, like hr@example.com, without a name.',
      );
    }
  } else if (readsEvent(template) && domains === undefined) {
    report(
      'RECIPIENT_FROM_EVENT',
      'an address from the event needs "allowRecipientFromEvent"',
      'Name the domains that may get mail: "allowRecipientFromEvent": ["example.com"].',
    );
  }
}

function renderAddress(
  template: Template,
  scope: TemplateScope,
  domains: readonly string[] | undefined,
  slots: Slots,
  at: readonly (string | number)[],
): string {
  const rendered = renderTemplate(template, scope);
  const address = slots.text(rendered, at);
  if (!('value' in rendered)) return address;
  if (!isPlainAddress(address)) {
    throw new RenderError(
      'ADDRESS_INVALID',
      `a value of the event makes no plain mail address in "${String(at[0])}"`,
    );
  }
  const domain = address.slice(address.lastIndexOf('@') + 1).toLowerCase();
  if (readsEvent(template) && !domains?.includes(domain)) {
    throw new RenderError('ADDRESS_INVALID', `mail to ${domain} is not allowed by "allowRecipientFromEvent"`);
  }
  return address;
}
