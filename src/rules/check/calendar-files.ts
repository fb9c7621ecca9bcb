import { CALENDAR_DOCUMENT } from '../calendar/calendar-schema.js';
import type { CalendarDocument } from '../calendar/calendar-document.js';
import type { CalendarDocuments } from '../calendar/shipped-calendars.js';
import type { FileReport } from './file-report.js';
import { elementsOf, type Member, textOf, valueOf } from './json-node.js';
import type { JsonNode } from './json-text.js';
import { checkKeys } from './object-keys.js';
import { locate, reportIssues } from './schema-issues.js';

const CODES = {
  unknownKey: 'CALENDAR_KEY_UNKNOWN',
  invalidKey: 'CALENDAR_KEY_UNKNOWN',
  missingKey: 'CALENDAR_KEY_MISSING',
  invalidValue: 'CALENDAR_VALUE_INVALID',
};
const KEYS = Object.keys(CALENDAR_DOCUMENT.shape);
const EXAMPLE =
  'Write {"name": "office", "hours": ["09:00-12:00", "13:00-18:00"], "holidays": ["2026-01-01"]}.';

const NO_DATE = { no: 'no date', mend: 'Write a day that there is, like "2026-01-31".' };
/** What is said of an element of a list that is none. */
const ELEMENTS: Readonly<Record<string, { readonly no: string; readonly mend: string }>> = {
  workdays: { no: 'no day of the week', mend: 'Write a number from 1 (Monday) to 7 (Sunday).' },
  hours: {
    no: 'no hours of a day',
    mend: 'Write them like "09:00-18:00", with two digits each, until "24:00" at most.',
  },
  holidays: NO_DATE,
  makeUpWorkdays: NO_DATE,
};

type Members = ReadonlyMap<string, Member>;

/** The work calendars of the rules folder. */
export class CalendarFiles {
  private readonly byName = new Map<string, { readonly document: CalendarDocument; readonly file: string }>();
  /** Of broken ones too: a rule that names one is not to blame. */
  private readonly named = new Set<string>();

  constructor(private readonly shipped: CalendarDocuments) {}

  /** Those in which there is no error, by name. */
  documents(): CalendarDocuments {
    return Object.fromEntries([...this.byName].map(([name, { document }]) => [name, document]));
  }

  /** What rules may name: those of the product, and all of the folder. */
  names(): ReadonlySet<string> {
    return new Set([...Object.keys(this.shipped), ...this.named]);
  }

  /** Reads one `*.calendar.json`. */
  read(root: JsonNode, report: FileReport): void {
    const errorsBefore = report.errorCount;
    if (root.type !== 'object') {
      report.error(root, 'CALENDAR_VALUE_INVALID', 'a work calendar must be an object', EXAMPLE);
      return;
    }
    const members = checkKeys(root, { prefix: 'CALENDAR', known: KEYS, required: ['name'] }, report);
    const nameAt = members.get('name')?.value;
    const name = textOf(nameAt);
    if (name !== null) this.named.add(name);
    const meant = Object.fromEntries([...members].map(([key, { value }]) => [key, valueOf(value)]));
    const parsed = CALENDAR_DOCUMENT.safeParse(meant);
    for (const issue of parsed.error?.issues ?? []) {
      const list = issue.path.length === 2 ? ELEMENTS[String(issue.path[0])] : undefined;
      const { node } = locate({ node: root, members }, issue.path);
      if (list && !report.json.unsafe.has(node))
        invalid(report, node, `${JSON.stringify(valueOf(node))} is ${list.no}`, list.mend);
      // That it is missing has been reported.
      else if (nameAt || issue.path[0] !== 'name')
        reportIssues([issue], { node: root, members }, report, CODES);
    }
    if (!parsed.success || !nameAt || report.errorCount > errorsBefore) return;
    checkDays(parsed.data, members, report);
    checkHours(parsed.data, members, report);
    checkDates(parsed.data, members, report);
    if (report.errorCount > errorsBefore) return;
    this.add(parsed.data, nameAt, report);
  }

  private add(document: CalendarDocument, nameAt: JsonNode, report: FileReport): void {
    const { name } = document;
    const other = this.byName.get(name);
    if (other) {
      report.error(
        nameAt,
        'CALENDAR_NAME_TWICE',
        `a work calendar named "${name}" stands in ${other.file} already`,
        'Give one of them another name.',
      );
      return;
    }
    if (Object.hasOwn(this.shipped, name)) {
      report.info(
        nameAt,
        'CALENDAR_OVERRIDES',
        `this replaces the work calendar "${name}" that ships with Aftersign`,
        'Give it another name, or remove the file, to use the one that ships with Aftersign.',
      );
    }
    if (document.until === undefined && document.holidays.length + document.makeUpWorkdays.length > 0) {
      report.info(
        nameAt,
        'CALENDAR_WITHOUT_END',
        'it does not say until when its days are known, so nobody will be told before they end',
        'Add "until", the last day for which they are, like "2026-12-31".',
      );
    }
    this.byName.set(name, { document, file: report.file });
  }
}

function checkDays({ workdays }: CalendarDocument, members: Members, report: FileReport): void {
  const at = members.get('workdays')?.value;
  if (!at) return;
  if (workdays.length === 0)
    invalid(
      report,
      at,
      '"workdays" has no day of the week',
      'Write the days that are worked, like [1, 2, 3, 4, 5].',
    );
  for (const [index, day] of workdays.entries()) {
    if (workdays.indexOf(day) < index)
      invalid(
        report,
        elementsOf(at)[index] ?? at,
        `${day} stands in "workdays" twice`,
        'Remove one of them.',
      );
  }
}

function checkHours({ hours }: CalendarDocument, members: Members, report: FileReport): void {
  const at = members.get('hours')?.value;
  if (!at) return;
  if (hours.length === 0)
    invalid(report, at, '"hours" has no working hours', 'Write them like ["09:00-12:00", "13:00-18:00"].');
  let open = '';
  for (const [index, one] of hours.entries()) {
    const node = elementsOf(at)[index] ?? at;
    const [from = '', to = ''] = one.split('-');
    if (from === to) invalid(report, node, `"${one}" ends when it begins`, 'Change one of the two times.');
    else if (from > to) {
      const night = to === '00:00' ? `"${from}-24:00"` : `"00:00-${to}", "${from}-24:00"`;
      invalid(report, node, `"${one}" ends before it begins`, `Over midnight it is written as ${night}.`);
    } else if (from < open) {
      invalid(
        report,
        node,
        `"${one}" begins before the hours in front of it have ended`,
        'Write the hours in the order of the day, apart from each other.',
      );
    }
    open = to;
  }
}

function checkDates(document: CalendarDocument, members: Members, report: FileReport): void {
  const { from, until, workdays } = document;
  const untilAt = members.get('until')?.value;
  if (untilAt && from !== undefined && until !== undefined && until < from)
    invalid(report, untilAt, '"until" is before "from"', 'Change one of the two.');
  const seen = new Map<string, string>();
  for (const key of ['holidays', 'makeUpWorkdays'] as const) {
    const at = members.get(key)?.value;
    for (const [index, date] of document[key].entries()) {
      const node = (at && elementsOf(at)[index]) ?? at;
      if (!node) continue;
      const other = seen.get(date);
      seen.set(date, key);
      if (other !== undefined) {
        const where = other === key ? `in "${key}" twice` : `in "${other}" and in "${key}"`;
        invalid(report, node, `${date} stands ${where}`, 'Remove one of them.');
      } else if ((from !== undefined && date < from) || (until !== undefined && date > until)) {
        invalid(
          report,
          node,
          `${date} is not within the time from ${from ?? 'the beginning'} until ${until ?? 'the end'} for which the days are known`,
          'Change "from" or "until", or remove the date.',
        );
      } else if (key === 'makeUpWorkdays' && workdays.includes(new Date(date).getUTCDay() || 7)) {
        report.warning(
          node,
          'CALENDAR_DAY_WORKED_ANYWAY',
          `${date} is a workday by its day of the week, so it makes up for nothing`,
          'Correct the date, or remove it.',
        );
      }
    }
  }
}

function invalid(report: FileReport, at: JsonNode, message: string, mend: string): void {
  report.error(at, 'CALENDAR_VALUE_INVALID', message, mend);
}
