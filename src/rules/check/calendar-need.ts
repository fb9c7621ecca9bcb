import type { ConditionForm } from './condition-form.js';
import type { FileReport } from './file-report.js';
import { factsIn } from './form-facts.js';
import type { JsonNode } from './json-text.js';

/** Working time that a rule counts, and where it says so. */
export interface WorkingTime {
  readonly text: string;
  readonly at: JsonNode;
}

const MEND = 'Add "calendar" to the rule, like "calendar": "cn".';

/** A rule that names no calendar is at the mercy of an installation's setting, wherever it needs one. */
export function checkCalendarNeed(
  working: WorkingTime | null,
  conditions: readonly (ConditionForm | null)[],
  report: FileReport,
): void {
  if (working) {
    report.warning(
      working.at,
      'CALENDAR_NOT_NAMED',
      `"${working.text}" is working time, and the rule names no calendar: DEFAULT_CALENDAR must be set`,
      MEND,
    );
  }
  for (const { fact, at } of conditions.flatMap(factsIn)) {
    if (fact !== 'now.workday') continue;
    report.warning(
      at,
      'CALENDAR_NOT_NAMED',
      `"${fact}" is known by a calendar, and the rule names none: DEFAULT_CALENDAR must be set`,
      MEND,
    );
  }
}
