import type { Action } from '../action/action.js';
import type { NewDelivery } from '../action/delivery-store.js';
import { type Notice, NOTICE_RULE } from '../action/notice-store.js';
import { RenderError } from '../action/render-template.js';
import { ALL_OTHERS, type NoticeText, noticeScope } from './owners.js';
import type { RuleSet } from './rule-set.js';

/**
 * The deliveries that tell a notice to the owners of its rules, one for each way to tell them; a way that several owners
 * share is gone once. Empty: nobody is named.
 */
export function noticeDeliveries(
  ruleSet: Pick<RuleSet, 'owners' | 'ruleOf'>,
  { id, rules }: { readonly id: string } & Pick<Notice, 'rules'>,
  text: NoticeText,
): readonly NewDelivery[] {
  const about = `notice:${id}`;
  const seen = new Set<string>();
  return ownersOf(ruleSet, rules).flatMap((owner) =>
    (ruleSet.owners.get(owner) ?? []).flatMap((action) => {
      const one = deliveryOf(`${owner}-${action.name}`, action, about, text);
      const way = JSON.stringify([one.target, one.request]);
      if (one.request !== null && seen.has(way)) return [];
      seen.add(way);
      return [one];
    }),
  );
}

/** Those that are listed; for everything else whoever is named for all others. */
function ownersOf(ruleSet: Pick<RuleSet, 'owners' | 'ruleOf'>, rules: readonly string[]): string[] {
  const named = rules.map((rule) => {
    const owner = ruleSet.ruleOf(rule)?.owner ?? null;
    return owner !== null && ruleSet.owners.has(owner) ? owner : ALL_OTHERS;
  });
  return [...new Set(named.length > 0 ? named : [ALL_OTHERS])].sort();
}

function deliveryOf(name: string, action: Action, about: string, text: NoticeText): NewDelivery {
  const base = {
    rule: NOTICE_RULE,
    action: name,
    kind: action.kind,
    entity: about,
    cause: about,
    generation: 0,
  };
  try {
    return { ...base, ...action.render(noticeScope(text)), state: 'pending', code: null, reason: null };
  } catch (error) {
    if (!(error instanceof RenderError)) throw error;
    return {
      ...base,
      target: `${action.kind}:`,
      request: null,
      state: 'dead',
      code: error.code,
      reason: error.message,
    };
  }
}
