import { printable } from '../config/terminal-text.js';
import type { RecallPreviewAnswer } from '../console/api/recalls.schema.js';
import { type Admin, type AdminPlace, withAdmin } from './admin.js';
import { isAskable, saysYes } from './asked.js';
import { followReplay, listReplays } from './followed-replay.js';
import { ListTable } from './list-table.js';
import { print } from './output.js';
import { exportRecall, listRecall } from './recall-list.js';
import { previewText } from './replay-preview-text.js';
import { refuse, wrongUse } from './refuse.js';
import { deliveryState, recallOutcome } from './words.js';

export interface RecallOptions extends AdminPlace {
  readonly since?: Date;
  readonly until?: Date;
  readonly ruleSet?: readonly string[];
  readonly replay: boolean;
  readonly export?: string;
  readonly force?: boolean;
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly list?: boolean;
  readonly show?: string;
  readonly cancel?: string;
  readonly json?: boolean;
}

/** `aftersign recall`: lists or exports what a rule sent, or tells what would be done, asks, and does it. */
export async function recall(rule: string | undefined, options: RecallOptions): Promise<number> {
  const { since, show, cancel, list = false, json = false, reason } = options;
  if (show !== undefined || cancel !== undefined || (list && rule === undefined))
    return await withAdmin(options, async ({ recalls }) => {
      if (cancel !== undefined) await recalls.cancel(cancel, reason === undefined ? {} : { reason });
      const id = cancel ?? show;
      return id === undefined ? await listReplays(recalls, { json }) : await followReplay(recalls, id, json);
    });
  if (rule === undefined) return wrongUse('name the rule whose deliveries are taken back');
  if (since === undefined) return wrongUse('say with --since from when on: what was sent before stays');
  const { ruleSet, until, dryRun = false, yes = false } = options;
  const looks = list || options.export !== undefined;
  if (looks && (ruleSet?.length ?? 0) > 1) return wrongUse('to list or export, name one --rule-set');
  if (!looks && !dryRun && !yes && !isAskable())
    return wrongUse('it is not undone easily: say so with --yes, or look first with --dry-run');
  return await withAdmin(options, async ({ recalls }) => {
    const window = { since, ...(until === undefined ? {} : { until }) };
    if (looks) {
      const query = { rule, ...window, ...(ruleSet?.[0] === undefined ? {} : { ruleSet: ruleSet[0] }) };
      if (options.export === undefined) return await listRecall(recalls, query, json);
      return await exportRecall(recalls, query, options.export, options.force ?? false, json);
    }
    const choice = {
      rule,
      ...window,
      replay: options.replay,
      ...(ruleSet === undefined ? {} : { ruleSets: [...ruleSet] }),
    };
    return await order(recalls, choice, options);
  });
}

async function order(
  recalls: Admin['recalls'],
  choice: Parameters<Admin['recalls']['preview']>[0],
  { reason, dryRun = false, yes = false, json = false }: RecallOptions,
): Promise<number> {
  // Both are about the same time.
  const fixed = { ...choice, until: choice.until ?? new Date() };
  process.stderr.write('looking at what would be done 正在预演 …\n');
  const preview = await recalls.preview(fixed);
  if (dryRun) {
    await print(json ? `${JSON.stringify(preview)}\n` : textOf(preview));
    return 0;
  }
  process.stderr.write(textOf(preview));
  const { ruleSet, deliveries } = preview;
  const count = deliveries.reduce((sum, one) => sum + one.count, 0);
  const question = `Recall ${count} deliveries of ${printable(choice.rule)}?\n确认召回? Type "yes" to go on: `;
  if (!yes && !(await saysYes(question))) return refuse('NOT_CONFIRMED', 'nothing was done');
  const { id } = await recalls.create({ ...fixed, ruleSet, ...(reason === undefined ? {} : { reason }) });
  return await followReplay(recalls, id, json);
}

function textOf(preview: RecallPreviewAnswer): string {
  const { rule, mended, ruleSet, events, deliveries } = preview;
  const table = new ListTable<(typeof deliveries)[number]>([
    { head: 'count\n数量', text: ({ count }) => String(count), whole: true },
    {
      head: 'what becomes of it\n处理',
      text: ({ outcome, code }) => recallOutcome(outcome) + (code === null ? '' : `\n${printable(code)}`),
    },
    { head: 'state now\n当前状态', text: ({ state }) => deliveryState(state, '\n') },
    { head: 'action 动作', text: ({ action }) => printable(action) },
    { head: 'target 目标', text: ({ target }) => printable(target) },
  ]);
  const by = mended
    ? `mended by the rule set ${ruleSet.slice(0, 12)} 以当前规则集为准`
    : 'no live rule has its name: nothing is sent anew 没有同名的生效规则，不会重新发送';
  return [
    `${printable(rule)}: ${by}; ${events} events are evaluated again 重新求值\n`,
    deliveries.length === 0 ? 'It has sent nothing then. 期间没有投递。\n' : table.page(deliveries),
    previewText(preview),
  ].join('');
}
