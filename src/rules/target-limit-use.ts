import { type ActionDocument, undoOf } from '../action/action-document.js';
import { parseTemplate, type Template, TemplateError } from '../action/template.js';
import type { CheckedFiles } from './check/check-files.js';

type Used = Pick<CheckedFiles['rules'][number], 'actions' | 'escalate'>;

/** The target lanes that the actions of rules lead to, those of their steps too. */
export function lanesOfRules(rules: readonly Used[]): ReadonlySet<string> {
  return new Set(
    rules.flatMap(({ actions, escalate }) =>
      [...actions, ...(escalate?.steps ?? []).flatMap((step) => step.actions)].flatMap((action) =>
        [action, undoOf(action)].flatMap((one) => (one && laneOfAction(one)) ?? []),
      ),
    ),
  );
}

/**
 * The target lane of whatever an action sends: the host of a URL stands in the rule file, or is a secret. Null: its URL
 * is none.
 */
export function laneOfAction(action: ActionDocument): string | null {
  switch (action.type) {
    case 'email':
      return 'email';
    case 'feishu-message':
      return 'feishu';
    case 'http': {
      const place = placeIn(action.url);
      return place === 'feishu' ? place : place && `http:${place}`.slice(0, 200);
    }
    case 'feishu-bot': {
      const place = placeIn(action.url);
      return place && `feishu-bot:${place.replace(/^secret:/, '')}`.slice(0, 200);
    }
  }
}

function placeIn(url: string): string | null {
  const [first] = parsed(url);
  if (first === undefined) return null;
  if (typeof first !== 'string') return first.path[0] === 'secrets' ? `secret:${first.path[1] ?? ''}` : null;
  if (first.startsWith('/open-apis/')) return 'feishu';
  const written = /^https?:\/\/[^/?#]*/i.exec(first)?.[0] ?? '';
  return URL.canParse(written) ? new URL(written).host : null;
}

function parsed(url: string): Template {
  try {
    return parseTemplate(url);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return [];
  }
}
