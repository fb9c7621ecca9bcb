import type { Notice } from '../action/notice-store.js';

/** Where in the console people see what a notice is about, and act on it. `publicUrl`: how they reach the service. */
export function noticeLink(notice: Pick<Notice, 'kind' | 'subject'>, publicUrl: string): string {
  const url = new URL(publicUrl);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/console/${pageOf(notice.kind)}`;
  url.search = new URLSearchParams(filterOf(notice)).toString();
  return url.href;
}

function pageOf(kind: Notice['kind']): string {
  switch (kind) {
    case 'target-failing':
    case 'target-recovered':
      return 'targets';
    case 'deliveries-dead':
    case 'not-rendered':
    case 'brake-held':
      return 'deliveries';
    case 'silence-ending':
      return 'silences';
    case 'lookup-failing':
      return 'events';
    case 'unread-value':
    case 'unknown-value':
    case 'silent-rule':
    case 'failing-condition':
    case 'lost-events':
      return 'radar';
  }
}

/** As the lists of the admin API call their filters. */
function filterOf({ kind, subject }: Pick<Notice, 'kind' | 'subject'>): Record<string, string> {
  switch (kind) {
    case 'deliveries-dead':
      // All mailboxes and all people of Feishu stand together, and no delivery has their name as its target.
      return { state: 'dead', ...(subject.includes(':') ? { target: subject } : {}) };
    case 'not-rendered':
      return { state: 'dead', ...ruleOf(subject) };
    case 'brake-held':
      return { state: 'held', ...ruleOf(subject) };
    case 'lookup-failing':
      return { verdict: 'unknown' };
    case 'unread-value':
    case 'unknown-value':
    case 'silent-rule':
    case 'failing-condition':
    case 'lost-events':
      return { kind };
    case 'target-failing':
    case 'target-recovered':
    case 'silence-ending':
      return {};
  }
}

/** `rule:<name>`; the brake over all rules has none. */
function ruleOf(subject: string): Record<string, string> {
  return subject.startsWith('rule:') ? { rule: subject.slice('rule:'.length) } : {};
}
