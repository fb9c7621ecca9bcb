/** Identifiers of one person, and whether a stored text holds one of them. */
export class PersonValues {
  private readonly pattern: RegExp;
  /** The values in every form in which JSON may hold them: what to look for before looking closely. */
  readonly forms: readonly string[];

  constructor(values: readonly string[]) {
    this.forms = [...new Set(values.flatMap(formsOf))];
    const any = this.forms.map(bounded).join('|');
    this.pattern = new RegExp(any, 'u');
  }

  /** `ou_123` is not in `ou_1234`. Text without spaces, as Chinese, has no such borders. */
  isIn(text: string | null): boolean {
    return text !== null && this.pattern.test(text);
  }
}

/** As it is, as JSON has it, and as senders write JSON who escape all but ASCII. */
function formsOf(value: string): string[] {
  const json = JSON.stringify(value).slice(1, -1);
  const escaped = (upper: boolean): string =>
    json.replaceAll(/[\u0080-\uffff]/g, (unit) => {
      const digits = unit.charCodeAt(0).toString(16).padStart(4, '0');
      return `\\u${upper ? digits.toUpperCase() : digits}`;
    });
  return [value, json, json.replaceAll('/', '\\/'), escaped(false), escaped(true)];
}

/** Within words a value ends where the word does; an escape of JSON before it is no part of the word. */
function bounded(form: string): string {
  const exact = form.replaceAll(/[$()*+./?[\\\]^{|}]/g, String.raw`\$&`);
  const before = /^[A-Za-z0-9_]/.test(form)
    ? String.raw`(?:^|[^A-Za-z0-9_]|\\[nrtbf]|\\u[0-9a-fA-F]{4})`
    : '';
  return before + exact + (/[A-Za-z0-9_]$/.test(form) ? '(?![A-Za-z0-9_])' : '');
}
