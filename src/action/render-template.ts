import type { FilterCall, Placeholder, Template } from './template.js';

const MAX_DEPTH = 32;
const MAX_CHARACTERS = 262_144;

/** A template could not be filled from this event. The delivery goes dead with this reason; nothing half-rendered is sent. */
export class RenderError extends Error {
  constructor(
    readonly code:
      | 'TEMPLATE_VALUE_MISSING'
      | 'TEMPLATE_VALUE_TOO_LARGE'
      | 'TEMPLATE_VALUE_UNFIT'
      | 'ADDRESS_INVALID'
      | 'URL_INVALID',
    message: string,
  ) {
    super(message);
    this.name = 'RenderError';
  }
}

/** What a template is filled from. */
export interface TemplateScope {
  /** The value at a path such as `['event', 'status']`; undefined when there is none. Own members only. */
  read(path: readonly string[]): unknown;
  /** The label of an enum value of an event field, or of a fact like `task.previousStatus`; null: there is none. */
  labelOf(field: string, value: unknown, language: 'zh' | 'en'): string | null;
  /** The label of an enum value of a look-up's answer; `path` begins with the look-up's name. Absent: there are none. */
  labelOfAnswer?(path: readonly string[], value: unknown, language: 'zh' | 'en'): string | null;
  /** Why there is no value at a path, as a part of a sentence; null: there is no more to say. */
  absenceOf?(path: readonly string[]): string | null;
  /** IANA name; the zone of dates. */
  readonly timezone: string;
}

/** A list that stands within a text as lines of its own, and anywhere else as a JSON list. Whoever makes it bounds it. */
export class Listing {
  private written: string | null = null;

  /** `write` is called when the list stands within a text, and throws RenderError. */
  constructor(
    private readonly items: readonly unknown[],
    private readonly write: () => string,
  ) {}

  get text(): string {
    return (this.written ??= this.write());
  }

  toJSON(): readonly unknown[] {
    return this.items;
  }
}

/** A piece of a rendered text that is filled in only at the moment of sending. */
export interface SecretReference {
  readonly secret: string;
}

/** Either a value (of any JSON type when a placeholder is the whole text), or pieces with secrets among them. */
export type Rendered =
  { readonly value: unknown } | { readonly pieces: readonly (string | SecretReference)[] };

/**
 * Fills a template. When a placeholder is the whole text, the value keeps its type; else, and wherever there is an
 * `encode` (for a URL, for HTML), values become text, each passed through it.
 *
 * @throws RenderError
 */
export function renderTemplate(
  template: Template,
  scope: TemplateScope,
  encode?: (text: string) => string,
): Rendered {
  const [only] = template;
  if (template.length === 1 && only !== undefined && typeof only !== 'string' && only.path[0] !== 'secrets') {
    const { value, escaped } = evaluate(only, scope);
    const whole = bounded(value, only);
    return { value: encode && !escaped ? encode(textOf(whole)) : whole };
  }
  const pieces = template.map((part): string | SecretReference => {
    if (typeof part === 'string') return part;
    if (part.path[0] === 'secrets') return { secret: part.path[1] ?? '' };
    const { value, escaped } = evaluate(part, scope);
    const text = textOf(bounded(value, part));
    return escaped || !encode ? text : encode(text);
  });
  return pieces.every((piece) => typeof piece === 'string') ? { value: pieces.join('') } : { pieces };
}

/** `escaped`: the author has escaped the value for HTML already. */
function evaluate(placeholder: Placeholder, scope: TemplateScope): { value: unknown; escaped: boolean } {
  let value = scope.read(placeholder.path);
  let escaped = false;
  for (const filter of placeholder.filters) {
    if (filter.name === 'default') {
      if (value === undefined || value === null || value === '') value = filter.arguments[0];
      continue;
    }
    if (value === undefined) break;
    escaped = filter.name === 'escape';
    value = apply(filter, value, placeholder, scope);
  }
  if (value === undefined) {
    const path = placeholder.path.join('.');
    const reason = scope.absenceOf?.(placeholder.path) ?? null;
    throw new RenderError(
      'TEMPLATE_VALUE_MISSING',
      reason === null
        ? `{{ ${path} }} has no value in this event, and no default`
        : `{{ ${path} }} has no value: ${reason}`,
    );
  }
  return { value, escaped };
}

function apply(filter: FilterCall, value: unknown, { path }: Placeholder, scope: TemplateScope): unknown {
  const [first, second] = filter.arguments;
  switch (filter.name) {
    case 'date':
      return formatDate(value, String(first ?? 'yyyy-MM-dd HH:mm'), String(second ?? scope.timezone), path);
    case 'label': {
      return labelAt(path, value, first === 'zh' ? 'zh' : 'en', scope) ?? value;
    }
    case 'json':
      return JSON.stringify(bounded(value, { path, filters: [] }));
    case 'upcase':
      return textOf(value).toUpperCase();
    case 'downcase':
      return textOf(value).toLowerCase();
    case 'truncate': {
      const characters = Array.from(new Intl.Segmenter().segment(textOf(value)), ({ segment }) => segment);
      return characters.length > Number(first)
        ? `${characters.slice(0, Number(first) - 1).join('')}…`
        : textOf(value);
    }
    case 'escape':
      return escapeHtml(textOf(value));
    case 'default':
      return value;
  }
}

function labelAt(
  path: readonly string[],
  value: unknown,
  language: 'zh' | 'en',
  scope: TemplateScope,
): string | null {
  const [root = '', ...rest] = path;
  if (root === 'lookup') return scope.labelOfAnswer?.(rest, value, language) ?? null;
  if (rest.length !== 1) return null;
  if (root === 'event') return scope.labelOf(rest[0] ?? '', value, language);
  return ['task', 'node', 'process'].includes(root) ? scope.labelOf(path.join('.'), value, language) : null;
}

/** The value as it stands within a text: nothing for null, JSON for lists and objects. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  if (value instanceof Listing) return value.text;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : JSON.stringify(value);
}

export function escapeHtml(text: string): string {
  return text.replace(
    /[&<>"']/g,
    (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[c] ?? c,
  );
}

/** Refuses what is too deep or too long to be stored and sent: the event is data of anybody. */
function bounded(value: unknown, { path }: Placeholder): unknown {
  if (value instanceof Listing) return value;
  if (typeof value === 'object' && value !== null) {
    let level: unknown[] = [value];
    for (let depth = 0; level.length > 0; depth += 1) {
      if (depth > MAX_DEPTH) throw tooLarge(path, `is nested deeper than ${MAX_DEPTH} levels`);
      level = level
        .flatMap((one): unknown[] => Object.values(one as object))
        .filter((one) => typeof one === 'object' && one !== null);
    }
  }
  if (textOf(value).length > MAX_CHARACTERS)
    throw tooLarge(path, `is longer than ${MAX_CHARACTERS} characters`);
  return value;
}

function tooLarge(path: readonly string[], what: string): RenderError {
  return new RenderError('TEMPLATE_VALUE_TOO_LARGE', `{{ ${path.join('.')} }} ${what}`);
}

/** Formats epoch seconds (10 digits), milliseconds (13) or ISO 8601 text with yyyy MM dd HH mm ss. */
function formatDate(value: unknown, format: string, timezone: string, path: readonly string[]): string {
  const digits = textOf(value);
  const time = /^\d{10}$/.test(digits)
    ? Number(digits) * 1000
    : /^\d{13}$/.test(digits)
      ? Number(digits)
      : Date.parse(digits);
  if (Number.isNaN(time)) {
    throw new RenderError(
      'TEMPLATE_VALUE_UNFIT',
      `{{ ${path.join('.')} | date }} is no time: ${digits.slice(0, 40)}`,
    );
  }
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(time);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? '';
  const fields: Record<string, string> = {
    yyyy: part('year').padStart(4, '0'),
    MM: part('month'),
    dd: part('day'),
    HH: part('hour'),
    mm: part('minute'),
    ss: part('second'),
  };
  return format.replace(/yyyy|MM|dd|HH|mm|ss/g, (field) => fields[field] ?? field);
}
