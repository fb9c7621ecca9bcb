import { printable } from '../config/terminal-text.js';
import type { RadarAnswerBody, RadarFindingAnswer, RadarQuery } from '../console/api/radar.schema.js';
import type { ReconciledAnswer } from '../console/api/radar.schema.js';
import { type AdminPlace, withAdmin } from './admin.js';
import { pc } from './colours.js';
import { print } from './output.js';
import { radarKind, timeText } from './words.js';

export interface RadarOptions extends AdminPlace {
  readonly since?: string;
  readonly grace?: string;
  readonly kind?: RadarQuery['kind'];
  readonly state?: RadarQuery['state'];
  readonly json?: boolean;
}

/** `aftersign radar`: looks now, or, with `--state`, tells what was found. Exit code 1 when something is open. */
export async function tellRadar({ since, grace, kind, state, ...options }: RadarOptions): Promise<number> {
  return await withAdmin(options, async ({ radar }) => {
    if (state === undefined)
      await radar.refresh({
        ...(since === undefined ? {} : { since }),
        ...(grace === undefined ? {} : { grace }),
      });
    const found = await radar.list({ state, kind });
    await print(options.json === true ? `${JSON.stringify(found)}\n` : textOf(found));
    return (state ?? 'open') === 'open' && found.items.length > 0 ? 1 : 0;
  });
}

/** `aftersign radar dismiss <id>` */
export async function dismissFinding(
  id: string,
  { reason, json = false, ...place }: AdminPlace & { readonly reason: string; readonly json?: boolean },
): Promise<number> {
  return await withAdmin(place, async ({ radar }) => {
    const finding = await radar.dismiss(id, { reason });
    await print(
      json ? `${JSON.stringify(finding)}\n` : `${pc.dim('dismissed 已忽略')} ${findingText(finding)}\n`,
    );
    return 0;
  });
}

export interface ReconcileOptions extends AdminPlace {
  readonly dryRun?: boolean;
  readonly reason?: string;
  readonly json?: boolean;
}

/** `aftersign radar reconcile [entity]`. Exit code 1 when something is left open. */
export async function reconcile(
  entity: string | undefined,
  { dryRun = false, reason, json = false, ...place }: ReconcileOptions,
): Promise<number> {
  return await withAdmin(place, async ({ radar }) => {
    const done = await radar.reconcile({
      ...(entity === undefined ? {} : { entity }),
      ...(reason === undefined ? {} : { reason }),
      dryRun,
    });
    await print(json ? `${JSON.stringify(done)}\n` : reconciledText(done));
    const open = done.items.some(({ outcome }) => outcome === 'failed' || outcome === 'not-listed');
    return open || done.left > 0 ? 1 : 0;
  });
}

function textOf({ computedAt, looked, reconciled, items }: RadarAnswerBody): string {
  const head = `${pc.bold('radar 雷达')} ${computedAt === null ? '–' : timeText(computedAt)} · ${looked} events 事件 · ${reconciled} made up for in 30 days 近 30 天补齐`;
  if (items.length === 0) return `${head}\n${pc.green('nothing found 没有发现')}\n`;
  const lines = [...new Set(items.map(({ kind }) => kind))].flatMap((kind) => [
    '',
    pc.bold(radarKind(kind)),
    ...items.filter((one) => one.kind === kind).map(findingText),
  ]);
  return `${[head, ...lines].join('\n')}\n`;
}

function findingText({ id, sentence, rules }: RadarFindingAnswer): string {
  const about =
    rules.length === 0 ? '' : `\n  ${pc.dim(`rules 规则: ${rules.slice(0, 10).map(printable).join(', ')}`)}`;
  return `${pc.dim(id)}\n  ${printable(sentence.zh)}\n  ${printable(sentence.en)}${about}`;
}

const OUTCOMES = {
  healed: 'made up for 已补齐',
  agrees: 'nothing is missing 无缺失',
  'not-listed': 'left open 仍不明',
  failed: 'not asked 未能询问',
} as const;

function reconciledText({ dryRun, items, left }: ReconciledAnswer): string {
  const lines = items.flatMap(({ entity, outcome, detail, made }) => [
    `${pc.bold(printable(entity))} ${OUTCOMES[outcome]}${detail === '' ? '' : `: ${printable(detail)}`}`,
    ...made.map(
      ({ eventType, task, status, createTime, id }) =>
        `  ${printable(eventType)} ${task === null ? '' : `task 任务 ${printable(task)} `}status 状态 ${status} · ${timeText(createTime)}${dryRun ? '' : ` · ${id ?? 'was there already 已存在'}`}`,
    ),
  ]);
  if (items.length === 0) lines.push(pc.dim('there is nobody to ask about 没有需要核对的流程'));
  if (left > 0)
    lines.push(pc.yellow(`${left} more were not asked about: run it again 还有 ${left} 个未核对`));
  if (dryRun) lines.push(pc.dim('nothing was stored 未写入'));
  return `${lines.join('\n')}\n`;
}
