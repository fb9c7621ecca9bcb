import type { Notice } from '../../action/notice-store.js';
import type { StoredFinding } from './finding-store.js';

/**
 * What owners are told of findings. What events brought stays out, as in all notices: values are shown where the notice leads.
 * Findings about the same rule, or the same field, are one notice, and lost events are one whatever they are about. Answers
 * each with the findings that it tells.
 */
export function radarNotices(
  findings: readonly StoredFinding[],
): readonly { readonly notice: Notice; readonly ids: readonly string[] }[] {
  const groups = new Map<string, { notice: Notice; ids: string[] }>();
  for (const finding of findings) {
    const { kind } = finding;
    const subject = subjectOf(finding);
    const key = `${kind} ${subject}`;
    const known = groups.get(key);
    const rules = [...new Set([...(known?.notice.rules ?? []), ...finding.rules])];
    const ids = [...(known?.ids ?? []), finding.id];
    groups.set(key, {
      ids,
      notice: { kind, subject, rules, detail: { ...detailOf(finding), count: ids.length } },
    });
  }
  return [...groups.values()];
}

function subjectOf(finding: StoredFinding): string {
  switch (finding.kind) {
    case 'unread-value':
    case 'unknown-value':
      return `${finding.detail.eventType} ${finding.detail.field}`;
    case 'silent-rule':
    case 'failing-condition':
      return `rule:${finding.detail.rule}`;
    case 'lost-events':
      return 'processes';
  }
}

/** In the words of the rule files and the catalogue. */
function detailOf(finding: StoredFinding): Notice['detail'] {
  switch (finding.kind) {
    case 'unread-value':
    case 'unknown-value':
      return { field: finding.detail.field };
    case 'silent-rule':
      return { since: finding.detail.lastFired };
    case 'failing-condition':
      return { condition: `${finding.detail.fact} ${finding.detail.operator}` };
    case 'lost-events':
      return {};
  }
}
