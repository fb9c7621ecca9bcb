import {
  type Rendered,
  renderTemplate,
  type SecretReference,
  type TemplateScope,
  textOf,
} from './render-template.js';
import { parseTemplate, type Placeholder, type Template, TemplateError } from './template.js';

/** Where in a request a text with secrets stands, and what it is put together from at the moment of sending. */
export interface SecretSlot {
  readonly at: readonly (string | number)[];
  readonly pieces: readonly (string | SecretReference)[];
  /** The secrets stand within a URL and are percent-encoded there. */
  readonly encode: boolean;
}

/** Something wrong in an action: where (below the action), what, and how to mend it. */
export type ReportProblem = (
  at: readonly (string | number)[],
  code: string,
  message: string,
  mend: string,
) => void;

/** Parses the templates of one action and notes what they read. */
export class ActionCompiler {
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
    for (const { path, filters } of placeholdersIn(template)) {
      if (path[0] === 'secrets') this.secretNames.add(path[1] ?? '');
      else if (!filters.some((filter) => filter.name === 'default')) this.reads.push({ path, at });
    }
    return template;
  }

  /** JSON with templates in its strings. */
  tree(value: unknown, at: readonly (string | number)[]): RenderTree {
    if (typeof value === 'string') {
      const template = this.template(value, at);
      return template.every((part) => typeof part === 'string')
        ? () => value
        : (scope, slots) => slots.value(renderTemplate(template, scope), at);
    }
    if (Array.isArray(value)) {
      const parts = value.map((one, index) => this.tree(one, [...at, index]));
      return (scope, slots) => parts.map((part) => part(scope, slots));
    }
    if (typeof value === 'object' && value !== null) {
      const members = Object.entries(value).map(([key, one]) => [key, this.tree(one, [...at, key])] as const);
      return (scope, slots) =>
        Object.fromEntries(members.map(([key, member]) => [key, member(scope, slots)]));
    }
    return () => value;
  }
}

export type RenderTree = (scope: TemplateScope, slots: Slots) => unknown;

export function placeholdersIn(template: Template): Placeholder[] {
  return template.filter((part) => typeof part !== 'string');
}

/** Puts rendered texts into a request and notes the places that wait for secrets. */
export class Slots {
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
