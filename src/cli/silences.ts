import { readFile } from 'node:fs/promises';
import { messageOf } from '../config/log.js';
import { printable } from '../config/terminal-text.js';
import type { NewSilence, Silence, SilenceQuery } from '../console/api/silences.schema.js';
import { loadBuiltInCatalogue } from '../events/catalogue.js';
import { checkSilenceConditions } from '../rules/check/silence-conditions.js';
import type { ConditionDocument } from '../rules/condition-document.js';
import { type Admin, type AdminPlace, withAdmin } from './admin.js';
import { pc } from './colours.js';
import { conditionText } from './condition-text.js';
import { findingText } from './finding-text.js';
import { type ListOptions, printPages } from './list-pages.js';
import { ListTable } from './list-table.js';
import { print } from './output.js';
import { refuse, wrongUse } from './refuse.js';
import { conditionOf, type Match } from './silence-match.js';
import { shortText } from './value-text.js';
import { silenceState, timeText } from './words.js';

interface SilenceOptions extends AdminPlace {
  readonly json?: boolean | undefined;
}

const LONGEST_CONDITIONS = 300;

/** `aftersign silences list` */
export async function listSilences(
  options: Pick<SilenceQuery, 'state'> & ListOptions & AdminPlace,
): Promise<number> {
  const { state } = options;
  const table = new ListTable<Silence>([
    {
      head: 'id 编号\nstate 状态',
      text: ({ id, state: stands, endsSoon }) =>
        `${printable(id)}\n${silenceState(stands)}${endsSoon ? pc.yellow(' ends soon 即将结束') : ''}`,
      whole: true,
    },
    { head: 'what 对象', text: ({ matcher }) => matcherText(matcher) },
    {
      head: 'from 开始\nuntil 结束',
      text: ({ startsAt, endsAt }) => `${timeText(startsAt)}\n${timeText(endsAt)}`,
      whole: true,
    },
    {
      head: 'reason 原因\nby 操作人',
      text: ({ reason, author, endedBy }) =>
        `${printable(reason)}\n${printable(author)}${endedBy === null ? '' : ` · ended by 结束于 ${printable(endedBy)}`}`,
    },
  ]);
  return await withAdmin(
    options,
    async ({ silences }) =>
      await printPages((page) => silences.list({ state, ...page }), options, table, 'silences'),
  );
}

/** What is to be silenced, and until when. */
export interface NewSilenceOptions extends SilenceOptions {
  readonly rule?: string;
  readonly action?: string;
  readonly owner?: string;
  readonly match: readonly Match[];
  /** A file with conditions as a rule has them. */
  readonly conditions?: string;
  readonly from?: Date;
  readonly for?: string;
  readonly until?: Date;
  readonly reason: string;
}

/** `aftersign silences add` */
export async function addSilence(options: NewSilenceOptions): Promise<number> {
  const { rule, action, owner, match, json = false } = options;
  if ([rule, action, owner, options.conditions, match[0]].every((part) => part === undefined))
    return wrongUse('what is to be silenced? --rule, --action, --owner, --match or --conditions');
  if ((options.for === undefined) === (options.until === undefined))
    return wrongUse('until when? either --for or --until');
  const given = options.conditions === undefined ? null : await conditionsIn(options.conditions);
  if (typeof given === 'number') return given;
  return await withAdmin(options, async (admin) => {
    const conditions = await allOf(given, match, admin);
    const silence: NewSilence = {
      matcher: {
        ...(rule === undefined ? {} : { rule }),
        ...(action === undefined ? {} : { action }),
        ...(owner === undefined ? {} : { owner }),
        ...(conditions === null ? {} : { conditions: { ...conditions } }),
      },
      ...(options.from === undefined ? {} : { startsAt: options.from.toISOString() }),
      ...(options.for === undefined ? {} : { for: options.for }),
      ...(options.until === undefined ? {} : { endsAt: options.until.toISOString() }),
      reason: options.reason,
    };
    const added = await admin.silences.add(silence);
    for (const warning of added.warnings) process.stderr.write(`Warning 注意: ${printable(warning)}\n`);
    await print(
      json
        ? `${JSON.stringify(added)}\n`
        : `Silence 静默 ${printable(added.id)}, ${timeText(added.startsAt)} – ${timeText(added.endsAt)}: ${matcherText(added.matcher)}\n`,
    );
    return 0;
  });
}

/** `aftersign silences end <id>` */
export async function endSilence(
  id: string,
  options: SilenceOptions & { readonly reason?: string },
): Promise<number> {
  const { reason, json = false } = options;
  return await withAdmin(options, async ({ silences }) => {
    const ended = await silences.end(id, reason === undefined ? {} : { reason });
    await print(
      json
        ? `${JSON.stringify(ended)}\n`
        : `Silence 静默 ${printable(ended.id)}: ${silenceState(ended.state)}\n`,
    );
    return 0;
  });
}

/** The conditions of a file; a number: what is wrong has been told, and that is the exit code. */
async function conditionsIn(file: string): Promise<ConditionDocument | 1> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    return refuse('FILE_UNREADABLE', printable(messageOf(error)));
  }
  const { conditions, findings } = checkSilenceConditions(text, loadBuiltInCatalogue(), file);
  if (conditions) return conditions;
  for (const finding of findings) process.stderr.write(`${findingText(finding, text)}\n\n`);
  return 1;
}

async function allOf(
  given: ConditionDocument | null,
  match: readonly Match[],
  { catalogue }: Admin,
): Promise<ConditionDocument | null> {
  if (match.length === 0) return given;
  const { items } = await catalogue.list();
  const leaves = match.map((one) => conditionOf(one, items));
  return { all: given ? [given, ...leaves] : leaves };
}

function matcherText({ rule, action, owner, conditions }: Silence['matcher']): string {
  const parts = [
    ...(rule === undefined ? [] : [`rule 规则 ${printable(rule)}`]),
    ...(action === undefined ? [] : [`action 动作 ${printable(action)}`]),
    ...(owner === undefined ? [] : [`owner 负责方 ${printable(owner)}`]),
    ...(conditions === undefined ? [] : [shortText(conditionText(conditions), LONGEST_CONDITIONS)]),
  ];
  return parts.join(' · ');
}
