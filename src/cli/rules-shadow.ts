import { readableRequest } from '../action/readable-request.js';
import { printable } from '../config/terminal-text.js';
import type {
  ComparedDelivery,
  ShadowDelivery,
  ShadowRule,
  ShadowRules,
} from '../console/api/shadow.schema.js';
import type { Standing } from '../console/read/shadow-comparison.js';
import { type Admin, type AdminPlace, withAdmin } from './admin.js';
import { pc } from './colours.js';
import { type ListOptions, printPages } from './list-pages.js';
import { ListTable, thingTable } from './list-table.js';
import { print } from './output.js';
import { valueText } from './value-text.js';
import { deliveryState, shadowState, standingWord, textOr, timeText } from './words.js';

export interface ShadowOptions extends ListOptions, AdminPlace {
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  readonly only?: Standing | undefined;
  /** The id of a shadow delivery. */
  readonly show?: string | undefined;
}

/**
 * `aftersign rules shadow [rule]`: how rules in shadow mode stand to their live twins. Without a rule, the counts of each;
 * with one, its counts and what they count; with `--show`, one shadow delivery beside that of its twin.
 */
export async function showShadow(rule: string | undefined, options: ShadowOptions): Promise<number> {
  const { show, only } = options;
  if (rule === undefined && show === undefined && only !== undefined) {
    process.stderr.write('error: --only lists what is so of one rule: name it\n');
    return 2;
  }
  return await withAdmin(options, async ({ shadow }) => {
    if (show !== undefined) return await showOne(shadow, show, options);
    return rule === undefined ? await showAll(shadow, options) : await showRule(shadow, rule, options);
  });
}

async function showAll(
  shadow: Admin['shadow'],
  { since, until, json = false }: ShadowOptions,
): Promise<number> {
  const answer = await shadow.list({ since, until });
  if (json) await print(`${JSON.stringify(answer)}\n`);
  else if (answer.items.length === 0) process.stderr.write('No rules in shadow mode. 没有影子规则。\n');
  else await print(`${windowText(answer)}\n${countTable().page(answer.items)}`);
  return 0;
}

/** With `--json`, one document: the counts, and a page of what they count. */
async function showRule(shadow: Admin['shadow'], rule: string, options: ShadowOptions): Promise<number> {
  const { since, until, only: standing, limit, cursor, json = false, all = false } = options;
  const counts = await shadow.find(rule, { since, until });
  // Both of one time, however long it takes to page through it.
  const window = { since: new Date(counts.since), until: new Date(counts.until), standing };
  if (json && !all) {
    const page = await shadow.deliveries(rule, { ...window, limit, cursor });
    await print(`${JSON.stringify({ ...counts, ...page })}\n`);
    return 0;
  }
  if (!json) await print(`${windowText(counts)}\n${countTable().page([counts])}\n`);
  return await printPages(
    (page) => shadow.deliveries(rule, { ...window, ...page }),
    options,
    comparedTable(),
    'deliveries',
  );
}

async function showOne(
  shadow: Admin['shadow'],
  id: string,
  { json = false }: ShadowOptions,
): Promise<number> {
  const delivery = await shadow.delivery(id);
  await print(json ? `${JSON.stringify(delivery)}\n` : textOf(delivery));
  return 0;
}

function windowText({ since, until }: Pick<ShadowRules, 'since' | 'until'>): string {
  return pc.dim(`decided 判定于 ${timeText(since)} … ${timeText(until)}`);
}

function countTable(): ListTable<ShadowRules['items'][number] | ShadowRule> {
  return new ListTable([
    { head: 'rule 规则', text: ({ rule }) => printable(rule) },
    { head: 'beside 对照', text: ({ shadowOf }) => textOr(shadowOf, '–') },
    { head: standingWord('same', '\n'), text: ({ counts }) => String(counts.same), whole: true },
    { head: standingWord('live', '\n'), text: ({ counts }) => String(counts.live), whole: true },
    { head: standingWord('shadow', '\n'), text: ({ counts }) => String(counts.shadow), whole: true },
    { head: standingWord('different', '\n'), text: ({ counts }) => String(counts.different), whole: true },
    { head: shadowState('gathering', '\n'), text: ({ gathering }) => String(gathering), whole: true },
  ]);
}

function comparedTable(): ListTable<ComparedDelivery> {
  return new ListTable([
    {
      head: 'id 编号\ndecided 判定',
      text: ({ id, decidedAt }) => `${printable(id)}\n${timeText(decidedAt)}`,
      whole: true,
    },
    { head: 'standing\n对照结果', text: ({ standing }) => standingWord(standing, '\n'), whole: true },
    {
      head: 'action 动作\noccasion 缘由',
      text: ({ action, occasion }) => `${printable(action)}\n${printable(occasion)}`,
    },
    { head: 'entity 实体', text: ({ entity }) => printable(entity) },
    {
      head: 'live 正式\nshadow 影子',
      text: ({ live, shadow }) =>
        [live?.target ?? '–', shadow?.target ?? '–'].map((target) => printable(target)).join('\n'),
    },
  ]);
}

function textOf(one: ShadowDelivery): string {
  const { twin, changes, request, masked } = one;
  const shown = (of: ShadowDelivery['request']): string[] =>
    of === null
      ? [pc.dim(masked ? 'masked for viewers 已隐去' : 'none 无: it was not rendered, or it was erased')]
      : JSON.stringify(readableRequest(of), null, 2).split('\n').map(printable);
  return `${[
    thingTable([
      ['shadow 影子', pc.bold(printable(one.id))],
      ['rule 规则', `${printable(one.rule)} / ${printable(one.action)}`],
      ['beside 对照', textOr(one.shadowOf, '–')],
      ['standing 对照结果', one.standing === null ? '–' : standingWord(one.standing)],
      [
        'state 状态',
        [shadowState(one.state), [textOr(one.code), textOr(one.reason)].filter(Boolean).join(': ')]
          .filter(Boolean)
          .join('\n'),
      ],
      ['target 目标', printable(one.target)],
      ['event 事件', `${printable(one.eventId)} · ${printable(one.occasion)}`],
      ['entity 实体', printable(one.entity)],
      ['decided 判定', timeText(one.decidedAt)],
      ['due 应投', timeText(one.dueAt)],
      ['live 正式', twin ? `${printable(twin.id)} · ${deliveryState(twin.state)}` : '–'],
    ]),
    ...(changes.length === 0 ? [] : [`\n${pc.bold('differences 差异')}`, ...changes.map(changeLine)]),
    `\n${pc.bold('shadow request 影子请求')}`,
    ...shown(request),
    ...(twin ? [`\n${pc.bold('live request 正式请求')}`, ...shown(twin.request)] : []),
  ].join('\n')}\n`;
}

function changeLine(change: ShadowDelivery['changes'][number]): string {
  const value = (of: 'before' | 'after'): string => (of in change ? valueText(change[of]) : '–');
  return `  ${printable(change.path)}: ${pc.yellow(value('before'))} → ${pc.magenta(value('after'))}`;
}
