import type { ActionDocument, RetryDocument } from './action-document.js';
import { ActionCompiler, type ReportProblem, type SecretSlot } from './action-compiler.js';
import { compileEmail } from './email-action.js';
import { compileFeishuBot, compileFeishuMessage } from './feishu-action.js';
import { compileHttp } from './http-action.js';
import type { TemplateScope } from './render-template.js';
import type {
  EmailRequest,
  FeishuAuth,
  FeishuBotRequest,
  FeishuMessageRequest,
  HttpSuccess,
} from './sender.js';

export type { ReportProblem, SecretSlot } from './action-compiler.js';

export const ACTION_KINDS = [
  'http',
  'email',
  'feishu-bot',
  'feishu-message',
] as const satisfies readonly ActionDocument['type'][];
export type ActionKind = ActionDocument['type'];

export interface HttpContent {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON or text; absent: none. */
  readonly body?: unknown;
  readonly timeoutMs: number;
  readonly success: HttpSuccess | null;
  /** Sent with the tenant token of this app. */
  readonly auth?: FeishuAuth;
  /** Filled in at the moment of sending: the secret whose keys sign it. */
  readonly sign?: string | null;
}

/** A rendered action as it is stored. What holds secrets is null in `content` and described in `secrets`. */
export type RenderedRequest = {
  readonly secrets: readonly SecretSlot[];
  readonly retry: RetryDocument | null;
} & (
  | { readonly kind: 'http'; readonly content: HttpContent }
  | { readonly kind: 'email'; readonly content: EmailRequest }
  | { readonly kind: 'feishu-bot'; readonly content: FeishuBotRequest }
  | { readonly kind: 'feishu-message'; readonly content: FeishuMessageRequest }
);

/** An action of a rule, checked and parsed. */
export interface Action {
  readonly name: string;
  readonly kind: ActionKind;
  /** Names used as `secrets.NAME`, or as `sign`. */
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

/**
 * Checks the templates, the URL and the receivers of an action. Problems go to `report`; then the action is of no use.
 */
export function compileAction(document: ActionDocument, report: ReportProblem): Action {
  const compiler = new ActionCompiler(report);
  const render = compile(document, compiler);
  return {
    name: document.name,
    kind: document.type,
    secretNames: [...compiler.secretNames],
    reads: compiler.reads,
    render,
  };
}

function compile(document: ActionDocument, compiler: ActionCompiler): Action['render'] {
  switch (document.type) {
    case 'http':
      return compileHttp(document, compiler);
    case 'email':
      return compileEmail(document, compiler);
    case 'feishu-bot':
      return compileFeishuBot(document, compiler);
    case 'feishu-message':
      return compileFeishuMessage(document, compiler);
  }
}
