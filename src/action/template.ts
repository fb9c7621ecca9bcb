/** A placeholder that is not what it should be. `offset` is where in the text, from 0. */
export class TemplateError extends Error {
  constructor(
    readonly offset: number,
    message: string,
    readonly mend: string,
  ) {
    super(message);
    this.name = 'TemplateError';
  }
}

/**
 * What templates may read. `event`: the facts of the event; `task`, `node`, `process`: what is known of whom the event
 * is about; `lookup`: the answers of the look-ups, by their names; `rule`: name, description, owner, labels; `items`: in
 * a digest, what it gathers.
 */
export const TEMPLATE_ROOTS = [
  'event',
  'task',
  'node',
  'process',
  'lookup',
  'now',
  'rule',
  'secrets',
  'items',
] as const;
/** Roots that are a value themselves. */
const WHOLE_ROOTS = ['now', 'items'];

type Literal = string | number | boolean | null;

export interface FilterCall {
  readonly name: FilterName;
  readonly arguments: readonly Literal[];
}

/** `{{ path | filter }}`: where the value comes from and what is done with it. */
export interface Placeholder {
  readonly path: readonly string[];
  readonly filters: readonly FilterCall[];
}

/** A parsed text: literal pieces and placeholders in turn. */
export type Template = readonly (string | Placeholder)[];

const FILTERS = {
  default: { least: 1, most: 1 },
  date: { least: 0, most: 2 },
  label: { least: 0, most: 1 },
  json: { least: 0, most: 0 },
  upcase: { least: 0, most: 0 },
  downcase: { least: 0, most: 0 },
  truncate: { least: 1, most: 1 },
  escape: { least: 0, most: 0 },
} as const;
type FilterName = keyof typeof FILTERS;

const TOKEN =
  /\s*(?:("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(-?\d+(?:\.\d+)?)(?!\w)|([A-Za-z_][\w-]*)|([.|:,[\]]))\s*/y;

/**
 * Parses a text with `{{ path | filter: argument }}` placeholders. There is nothing else: no tags, no logic, no
 * calls (docs/adr/0003).
 *
 * @throws TemplateError
 */
export function parseTemplate(text: string): Template {
  const parts: (string | Placeholder)[] = [];
  let at = 0;
  for (;;) {
    const open = text.indexOf('{{', at);
    if (open < 0) break;
    if (open > at) parts.push(text.slice(at, open));
    const reader = new PlaceholderReader(text, open + 2);
    parts.push(reader.read());
    at = reader.end;
  }
  const stray = text.indexOf('}}', at);
  if (stray >= 0)
    throw new TemplateError(stray, '"}}" closes nothing', 'Write {{ event.field }}, or remove it.');
  if (at < text.length) parts.push(text.slice(at));
  return parts;
}

/** Reads one placeholder, from behind its `{{`. */
class PlaceholderReader {
  end: number;
  private token: { readonly kind: 'text' | 'number' | 'name' | 'sign' | 'end'; readonly value: string };

  constructor(
    private readonly text: string,
    private readonly start: number,
  ) {
    this.end = start;
    this.token = this.next();
  }

  read(): Placeholder {
    const path = this.path();
    const filters: FilterCall[] = [];
    while (this.accept('|')) filters.push(this.filter());
    if (this.token.kind !== 'end') this.fail(`"${this.token.value}" is not expected here`);
    checkSecret(path, filters, this.start);
    return { path, filters };
  }

  private path(): string[] {
    const root = this.name('a path like event.status');
    const path = [root];
    for (;;) {
      if (this.accept('.')) {
        // `items.0.event`, and what reads like a fraction: `rows.0.1`.
        if (this.token.kind === 'number' && !this.token.value.startsWith('-'))
          path.push(...this.take().split('.'));
        else path.push(this.name('a name'));
      } else if (this.accept('[')) {
        if (this.token.kind !== 'number' && this.token.kind !== 'text')
          this.fail('a number or a quoted name belongs in [ ]');
        path.push(this.token.kind === 'text' ? unquote(this.take()) : this.take());
        if (!this.accept(']')) this.fail('"]" is missing');
      } else break;
    }
    const offset = this.start;
    if (!(TEMPLATE_ROOTS as readonly string[]).includes(root)) {
      throw new TemplateError(
        offset,
        `templates cannot read "${root}"`,
        `Start with one of ${TEMPLATE_ROOTS.join(', ')}.`,
      );
    }
    if (root === 'now' ? path.length > 1 : path.length < 2 && !WHOLE_ROOTS.includes(root)) {
      throw new TemplateError(
        offset,
        root === 'now' ? '"now" has no members' : `"${root}" alone is no value`,
        root === 'now' ? 'Write {{ now | date: "yyyy-MM-dd" }}.' : `Name a member, like {{ ${root}.name }}.`,
      );
    }
    return path;
  }

  private filter(): FilterCall {
    const name = this.name('the name of a filter');
    if (!isFilterName(name)) {
      this.fail(`there is no filter "${name}"`, `Use one of ${Object.keys(FILTERS).join(', ')}.`);
    }
    const given: Literal[] = [];
    if (this.accept(':')) {
      do given.push(this.literal());
      while (this.accept(','));
    }
    const { least, most } = FILTERS[name];
    if (given.length < least || given.length > most) {
      this.fail(
        `the filter "${name}" takes ${least === most ? least : `${least} to ${most}`} values, here are ${given.length}`,
      );
    }
    checkArguments(name, given, (message) => this.fail(message));
    return { name, arguments: given };
  }

  private literal(): Literal {
    const { kind, value } = this.token;
    if (kind === 'text') return unquote(this.take());
    if (kind === 'number') return Number(this.take());
    if (kind === 'name' && (value === 'true' || value === 'false' || value === 'null')) {
      return JSON.parse(this.take()) as Literal;
    }
    return this.fail('a value belongs here: "text" in quotes, a number, true, false or null');
  }

  private name(expected: string): string {
    if (this.token.kind !== 'name') this.fail(`${expected} belongs here`);
    return this.take();
  }

  private accept(sign: string): boolean {
    if (this.token.kind !== 'sign' || this.token.value !== sign) return false;
    this.take();
    return true;
  }

  private take(): string {
    const { value } = this.token;
    this.token = this.next();
    return value;
  }

  private next(): { kind: 'text' | 'number' | 'name' | 'sign' | 'end'; value: string } {
    const closing = /\s*\}\}/y;
    closing.lastIndex = this.end;
    if (closing.test(this.text)) {
      this.end = closing.lastIndex;
      return { kind: 'end', value: '' };
    }
    TOKEN.lastIndex = this.end;
    const match = TOKEN.exec(this.text);
    if (!match) {
      const rest = this.text.slice(this.end, this.end + 12).trim();
      this.fail(rest === '' ? '"{{" is never closed' : `"${rest}" cannot be read`);
    }
    this.end = TOKEN.lastIndex;
    const [, quoted, number, name, sign] = match;
    if (quoted !== undefined) return { kind: 'text', value: quoted };
    if (number !== undefined) return { kind: 'number', value: number };
    if (name !== undefined) return { kind: 'name', value: name };
    return { kind: 'sign', value: sign ?? '' };
  }

  private fail(
    message: string,
    mend = 'Write {{ path | filter: "value" }}, like {{ event.status | label: "en" }}.',
  ): never {
    throw new TemplateError(this.start - 2, message, mend);
  }
}

function isFilterName(name: string): name is FilterName {
  return Object.hasOwn(FILTERS, name);
}

function checkArguments(name: FilterName, given: readonly Literal[], fail: (message: string) => never): void {
  if (name === 'label' && given[0] !== undefined && given[0] !== 'zh' && given[0] !== 'en') {
    fail('the filter "label" takes "zh" or "en"');
  }
  if (name === 'truncate' && !(Number.isInteger(given[0]) && Number(given[0]) > 0)) {
    fail('the filter "truncate" takes a whole number above 0');
  }
  if (name === 'date') {
    if (given.some((one) => typeof one !== 'string'))
      fail('the filter "date" takes a format and a time zone in quotes');
    if (typeof given[1] === 'string' && !isTimezone(given[1])) fail(`"${given[1]}" is no IANA time zone`);
  }
}

function checkSecret(path: readonly string[], filters: readonly FilterCall[], offset: number): void {
  if (path[0] !== 'secrets') return;
  if (path.length !== 2 || !/^[A-Za-z][A-Za-z0-9_]*$/.test(path[1] ?? '')) {
    throw new TemplateError(
      offset,
      `"${path.join('.')}" is no name of a secret`,
      'Write {{ secrets.NAME }}.',
    );
  }
  if (filters.length > 0) {
    throw new TemplateError(
      offset,
      'filters cannot be used on secrets',
      'Store the secret in the form it is sent.',
    );
  }
}

function unquote(quoted: string): string {
  return quoted.slice(1, -1).replace(/\\(.)/g, (_, c: string) => ({ n: '\n', t: '\t' })[c] ?? c);
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
