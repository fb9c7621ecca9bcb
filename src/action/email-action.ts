import type { Action } from './action.js';
import { type ActionCompiler, placeholdersIn, Slots } from './action-compiler.js';
import type { EmailDocument } from './action-document.js';
import { isPlainAddress } from './mail-address.js';
import { escapeHtml, RenderError, renderTemplate, type TemplateScope } from './render-template.js';
import type { EmailRequest } from './sender.js';
import type { Template } from './template.js';

const ADDRESS_FIELDS = ['to', 'cc', 'bcc', 'replyTo'] as const;

/** @see compileAction */
export function compileEmail(document: EmailDocument, compiler: ActionCompiler): Action['render'] {
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

const readsEvent = (template: Template): boolean =>
  placeholdersIn(template).some(({ path }) => path[0] !== 'secrets');
