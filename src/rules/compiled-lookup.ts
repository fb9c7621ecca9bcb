import { compileAction, type ReportProblem } from '../action/action.js';
import { RenderError, renderTemplate, type TemplateScope, textOf } from '../action/render-template.js';
import { parseTemplate, type Placeholder, type Template, TemplateError } from '../action/template.js';
import { isObject } from '../events/own-member.js';
import type { HttpLookupDocument, LookupDocument, LookupRequest } from './lookup-document.js';
import { type AnswerShape, shapeOf } from './lookup-fields.js';

/** A look-up of `lookups.json`, checked and parsed. */
export interface CompiledLookup {
  readonly name: string;
  readonly document: LookupDocument;
  readonly shape: AnswerShape;
  /** The look-ups whose answers its templates read. */
  readonly needs: readonly string[];
  /** Names used as `secrets.NAME`. */
  readonly secretNames: readonly string[];
  /**
   * Fills the templates.
   *
   * @throws RenderError when a value is missing or does not fit its place
   */
  render(scope: TemplateScope): LookupRequest;
}

/** Parses the templates of a look-up. Problems go to `report`; then it is of no use. */
export function compileLookup(name: string, document: LookupDocument, report: ReportProblem): CompiledLookup {
  const base = { name, document, shape: shapeOf(name, document), needs: [...lookupsIn(document)] };
  if (document.type === 'http') return { ...base, ...compileHttp(document, report) };
  const id = parsed(document.id, ['id'], report);
  if (document.type === 'feishu-user') {
    const { app = null, idType } = document;
    const render = (scope: TemplateScope): LookupRequest => ({
      kind: document.type,
      app,
      id: idOf(id, scope, 'id'),
      idType,
    });
    return { ...base, secretNames: [], render };
  }
  const task = document.task === undefined ? null : parsed(document.task, ['task'], report);
  const { app = null, userIdType } = document;
  const render = (scope: TemplateScope): LookupRequest => ({
    kind: document.type,
    app,
    id: idOf(id, scope, 'id'),
    task: task && taskOf(task, scope),
    userIdType,
  });
  return { ...base, secretNames: [], render };
}

/** What is asked, as a text: equal ones get the same answer. Holds no secret. */
export function requestText(request: LookupRequest): string {
  switch (request.kind) {
    case 'feishu-process':
      return JSON.stringify([request.kind, request.app, request.id, request.userIdType, request.task]);
    case 'feishu-user':
      return JSON.stringify([request.kind, request.app, request.id, request.idType]);
    case 'http': {
      const { method, url, headers } = request.content;
      const sorted = Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1));
      return JSON.stringify([request.kind, method, url, sorted, request.secrets, request.success]);
    }
  }
}

/** The look-ups that the texts of an action or a look-up read, also of what a digest gathers. */
export function lookupsIn(document: unknown): ReadonlySet<string> {
  const names = pathsIn(document).flatMap((path) => {
    const [root, name] = path[0] === 'items' ? path.slice(2) : path;
    return root === 'lookup' && name !== undefined ? [name] : [];
  });
  return new Set(names);
}

/** What the texts of an action, or of anything else that holds some, read. */
export function pathsIn(document: unknown): readonly Placeholder['path'][] {
  if (typeof document === 'string') return placeholdersIn(document).map(({ path }) => path);
  if (Array.isArray(document)) return document.flatMap(pathsIn);
  return isObject(document) ? Object.values(document).flatMap(pathsIn) : [];
}

/** The placeholders of a text; none when it is no template. */
export function placeholdersIn(text: string): readonly Placeholder[] {
  if (!text.includes('{{')) return [];
  try {
    return parseTemplate(text).filter((part) => typeof part !== 'string');
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return [];
  }
}

function compileHttp(
  document: HttpLookupDocument,
  report: ReportProblem,
): Pick<CompiledLookup, 'secretNames' | 'render'> {
  const { url, headers, success, timeout } = document;
  checkRoots(url, ['url'], 'in front', report);
  for (const [name, text] of Object.entries(headers)) checkRoots(text, ['headers', name], 'anywhere', report);
  const action = compileAction(
    {
      type: 'http',
      name: 'lookup',
      method: 'GET',
      url,
      headers,
      timeout,
      ...(success === undefined ? {} : { success }),
    },
    report,
  );
  return {
    secretNames: action.secretNames,
    render: (scope) => {
      const { request } = action.render(scope);
      if (request.kind !== 'http') throw new Error('a look-up by HTTP is an HTTP request');
      const { content, secrets } = request;
      const slot = secrets.find(({ at }) => at.length === 1 && at[0] === 'url');
      const shown = slot?.pieces.map((piece) => (typeof piece === 'string' ? piece : `(${piece.secret})`));
      return {
        kind: 'http',
        url: shown?.join('') ?? content.url,
        content,
        secrets,
        success: content.success,
      };
    },
  };
}

function parsed(text: string, at: readonly string[], report: ReportProblem): Template {
  checkRoots(text, at, 'nowhere', report);
  try {
    return parseTemplate(text);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    report(at, 'TEMPLATE_INVALID', `${error.message} (character ${error.offset + 1})`, error.mend);
    return [];
  }
}

/**
 * The rule, the state and the time have no part in what is asked: the same event would ask anew at every look. A secret in the
 * middle of a URL ends up in the logs of everyone on the way.
 */
function checkRoots(
  text: string,
  at: readonly string[],
  secrets: 'nowhere' | 'in front' | 'anywhere',
  report: ReportProblem,
): void {
  for (const [index, { path }] of placeholdersIn(text).entries()) {
    const [root = ''] = path;
    if (!['event', 'lookup', 'secrets'].includes(root))
      report(at, 'TEMPLATE_INVALID', `a look-up cannot read "${root}"`, 'Read "event", or another look-up.');
    const inFront = index === 0 && /^\s*\{\{/.test(text);
    if (root !== 'secrets' || secrets === 'anywhere' || (secrets === 'in front' && inFront)) continue;
    report(
      at,
      'TEMPLATE_INVALID',
      secrets === 'nowhere'
        ? `"${String(at[0])}" cannot hold a secret`
        : 'a secret within a URL would be seen on the way',
      'Send it in a header, like "authorization": "Bearer {{ secrets.NAME }}".',
    );
  }
}

const MAX_ID = 200;

function idOf(template: Template, scope: TemplateScope, key: string): string {
  const rendered = renderTemplate(template, scope);
  const id = 'value' in rendered ? textOf(rendered.value) : '';
  // It becomes a segment of a path, and events are data of anybody.
  if (id === '') throw new RenderError('TEMPLATE_VALUE_MISSING', `"${key}" is empty for this event`);
  if (id.length > MAX_ID || /^\.{1,2}$|[\p{C}\s]/u.test(id))
    throw new RenderError('TEMPLATE_VALUE_UNFIT', `"${key}" is no id: ${JSON.stringify(id.slice(0, 40))}`);
  return id;
}

/** Events without a task have the process all the same. */
function taskOf(template: Template, scope: TemplateScope): string | null {
  try {
    return idOf(template, scope, 'task');
  } catch (error) {
    if (error instanceof RenderError) return null;
    throw error;
  }
}
