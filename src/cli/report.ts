import { DELIVERY_STATES, type DeliveryState } from '../action/delivery-states.js';
import { printable } from '../config/terminal-text.js';
import type { Report, ReportQuery, ReportRule, ReportTarget } from '../console/api/report.schema.js';
import { type AdminPlace, withAdmin } from './admin.js';
import { pc } from './colours.js';
import { ListTable } from './list-table.js';
import { print } from './output.js';
import { refuse } from './refuse.js';
import { deliveryState, suppressionCause, timeText } from './words.js';

export type ReportOptions = ReportQuery & AdminPlace & { readonly json?: boolean };

/** `aftersign report`: asked = deliveries + suppressed, by rule; deliveries = the sum of their states. */
export async function tellReport(options: ReportOptions): Promise<number> {
  const { since, until, json = false } = options;
  return await withAdmin(options, async ({ report }) => {
    const told = await report.find({ since, until });
    await print(json ? `${JSON.stringify(told)}\n` : textOf(told));
    if (told.balanced) return 0;
    const rules = told.rules.filter(({ difference }) => difference !== 0).map(({ rule }) => rule);
    return refuse('REPORT_UNEVEN', `what was asked for is not what there is: ${printable(rules.join(', '))}`);
  });
}

function textOf(report: Report): string {
  const { since, until, rules, total, targets, beside, attempts, uncounted } = report;
  const all = rules.length === 0 ? [] : [...rules, { rule: 'all 合计', ...total }];
  const lines = [`${pc.bold('events received 接收的事件')} ${timeText(since)} – ${timeText(until)}`];
  if (all.length === 0) lines.push(pc.dim('no rule asked for anything 无记录'));
  else lines.push('', ruleTable().page(all).trimEnd());
  if (targets.length > 0) lines.push('', targetTable().page(targets).trimEnd());
  lines.push(
    '',
    `${pc.bold('attempts 尝试')} ${attempts.total}; without an answer after the request was sent 结果不明: ${attempts.ambiguous}; lost 中断: ${attempts.lost}`,
  );
  for (const [what, { deliveries, states }] of [
    ['digests 汇总', beside.digests],
    ['redriven edited 编辑后重投', beside.edited],
    ['undos of recalls 召回撤销', beside.undos],
    ['notices 通知', beside.notices],
  ] as const)
    if (deliveries > 0) lines.push(`${pc.bold(what)} ${deliveries}: ${statesText(states, ', ')}`);
  if (uncounted.evaluations + uncounted.deliveries > 0)
    lines.push(
      pc.yellow(
        `from before this was counted 统计之前: ${uncounted.evaluations} evaluations, ${uncounted.deliveries} deliveries`,
      ),
    );
  return `${lines.join('\n')}\n`;
}

function ruleTable(): ListTable<ReportRule> {
  return new ListTable([
    { head: 'rule 规则', text: ({ rule }) => printable(rule) },
    { head: 'asked\n应投', text: ({ asked }) => String(asked), whole: true },
    { head: 'deliveries\n投递', text: ({ deliveries }) => String(deliveries), whole: true },
    {
      head: 'suppressed 抑制',
      text: ({ suppressed }) =>
        Object.entries(suppressed)
          .map(([cause, count]) => `${count} ${suppressionCause(cause)}`)
          .join('\n'),
    },
    {
      head: 'difference\n差额',
      text: ({ difference }) => (difference === 0 ? pc.dim('0') : pc.red(String(difference))),
      whole: true,
    },
    { head: 'states 状态', text: ({ states }) => statesText(states, '\n') },
  ]);
}

function targetTable(): ListTable<ReportTarget> {
  return new ListTable([
    { head: 'target 目标', text: ({ target }) => printable(target) },
    { head: 'deliveries\n投递', text: ({ deliveries }) => String(deliveries), whole: true },
    { head: 'states 状态', text: ({ states }) => statesText(states, '\n') },
  ]);
}

function statesText(states: Readonly<Record<DeliveryState, number>>, between: string): string {
  return DELIVERY_STATES.filter((state) => states[state] > 0)
    .map((state) => `${states[state]} ${deliveryState(state)}`)
    .join(between);
}
