import { printable } from '../config/terminal-text.js';
import type { ReplayPreviewAnswer } from '../console/api/replays.schema.js';
import { type AdminPlace, withAdmin } from './admin.js';
import { isAskable, saysYes } from './asked.js';
import { type EventFilterOptions, eventFilterOf } from './event-filter.js';
import { followReplay, listReplays } from './followed-replay.js';
import { print } from './output.js';
import { previewText } from './replay-preview-text.js';
import { refuse, wrongUse } from './refuse.js';

export interface ReplayOptions extends EventFilterOptions, AdminPlace {
  readonly onlyRule?: string;
  readonly limit: number;
  readonly cut?: boolean;
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly list?: boolean;
  readonly show?: string;
  readonly cancel?: string;
  readonly json?: boolean;
}

/** `aftersign replay`: tells what would come of it, asks, and does it. */
export async function replayEvents(options: ReplayOptions): Promise<number> {
  const { onlyRule, limit, cut = false, reason, dryRun = false, yes = false, json = false } = options;
  const { list, show, cancel } = options;
  const orders = list === true || show !== undefined || cancel !== undefined;
  if (!orders && !dryRun && !yes && !isAskable())
    return wrongUse('many events may be meant: say so with --yes, or look first with --dry-run');
  return await withAdmin(options, async ({ replays }) => {
    if (list) return await listReplays(replays, { json });
    if (show !== undefined) return await followReplay(replays, show, json);
    if (cancel !== undefined) {
      await replays.cancel(cancel, reason === undefined ? {} : { reason });
      return await followReplay(replays, cancel, json);
    }
    const choice = {
      filter: eventFilterOf(options),
      limit,
      cut,
      ...(onlyRule === undefined ? {} : { rule: onlyRule }),
    };
    process.stderr.write('looking at what would come of it 正在预演 …\n');
    const preview = await replays.preview(choice);
    if (dryRun) {
      await print(json ? `${JSON.stringify(preview)}\n` : textOf(preview));
      return 0;
    }
    process.stderr.write(textOf(preview));
    const { found, looked, ruleSet } = preview;
    if (found === 0) return refuse('SELECTION_EMPTY', 'no event fits');
    const question = `Evaluate ${looked} events again by the rule set ${ruleSet.slice(0, 12)}?\n确认重放? Type "yes" to go on: `;
    if (!yes && !(await saysYes(question))) return refuse('NOT_CONFIRMED', 'nothing was done');
    const { id } = await replays.create({ ...choice, ruleSet, ...(reason === undefined ? {} : { reason }) });
    return await followReplay(replays, id, json);
  });
}

function textOf(preview: ReplayPreviewAnswer): string {
  const { found, looked, ruleSet } = preview;
  const more = found > looked ? `, the oldest ${looked} of them 只取最早的` : '';
  return `${found} events fit 符合条件${more}; rule set 规则集 ${printable(ruleSet.slice(0, 12))}\n${previewText(preview)}`;
}
