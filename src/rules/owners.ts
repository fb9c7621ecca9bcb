import { type Action, compileAction } from '../action/action.js';
import type { ActionDocument } from '../action/action-document.js';
import type { TemplateScope } from '../action/render-template.js';
import { ownAt } from '../events/own-member.js';
import { RuleSetError } from './rules.errors.js';

/** In `owners.json`: whoever is told of what nobody else is named for. */
export const ALL_OTHERS = '*';

/**
 * Ways to tell the owners, by the name that rules have as `owner`: actions of which Aftersign writes the text. Null:
 * there is no `owners.json`.
 */
export type OwnerDocuments = Readonly<Record<string, readonly ActionDocument[]>> | null;

/** The same, compiled: whom notices go to. Empty: nobody. */
export type Owners = ReadonlyMap<string, readonly Action[]>;

/** What a notice says. Plain text, of several lines. */
export interface NoticeText {
  readonly kind: string;
  readonly subject: string;
  readonly text: string;
  readonly detail: Readonly<Record<string, string | number | null>>;
}

const SUBJECT = '{{ event.subject }}';
const TEXT = '{{ event.text }}';

/**
 * What each kind of channel says: the keys that `owners.json` itself must not have. The notice stands where the event of a
 * rule does.
 */
export const CHANNEL_TEXTS = {
  http: {
    body: { kind: '{{ event.kind }}', subject: SUBJECT, text: TEXT, detail: '{{ event.detail }}' },
  },
  email: { subject: SUBJECT, text: TEXT },
  'feishu-bot': { text: `${SUBJECT}\n\n${TEXT}` },
  'feishu-message': { text: `${SUBJECT}\n\n${TEXT}` },
} as const satisfies Record<ActionDocument['type'], object>;

/** @throws RuleSetError when a channel cannot be compiled: the check would have said so */
export function compileOwners(documents: OwnerDocuments): Owners {
  const compiled = Object.entries(documents ?? {}).map(([owner, channels]) => {
    const actions = channels.map((channel) =>
      compileAction(channel, (_at, code, message) => {
        throw new RuleSetError('RULE_SET_UNREADABLE', `owner "${owner}": ${code}: ${message}`);
      }),
    );
    return [owner, actions] as const;
  });
  return new Map(compiled);
}

/** What a channel is filled from: the notice, and nothing else. */
export function noticeScope(notice: NoticeText): TemplateScope {
  return {
    timezone: 'UTC',
    read: ([root, ...rest]) => (root === 'event' ? ownAt(notice, rest) : undefined),
    labelOf: () => null,
  };
}
