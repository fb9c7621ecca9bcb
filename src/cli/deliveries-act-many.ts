import { ACT_STATES, type DeliveryAct } from '../action/delivery-acts.js';
import { printable } from '../config/terminal-text.js';
import type { ActedMany, ManyActBody } from '../console/api/deliveries.schema.js';
import type { ManyOptions } from './act-filter.js';
import { type Admin, withAdmin } from './admin.js';
import { isAskable, saysYes } from './asked.js';
import { print } from './output.js';
import { type Progress, progressOn } from './progress.js';
import { refuse, wrongUse } from './refuse.js';

/** So many by one request: an answer comes in good time, and there is progress to see. */
const AT_ONCE = 1000;

/** What an act says of its deliveries. */
const WORDS: Readonly<
  Record<DeliveryAct, { readonly doing: string; readonly done: string; readonly zh: string }>
> = {
  redrive: { doing: 'redriving', done: 'redriven', zh: '重投' },
  release: { doing: 'releasing', done: 'released', zh: '放行' },
  discard: { doing: 'discarding', done: 'discarded', zh: '放弃' },
  cancel: { doing: 'cancelling', done: 'cancelled', zh: '取消' },
};

/**
 * `aftersign deliveries redrive|release|discard|cancel` with a filter instead of ids: tells how many are meant, asks, and
 * does it. Exit code 1 when some were left.
 */
export async function actOnMatching(
  act: DeliveryAct,
  filter: ManyActBody['filter'],
  options: ManyOptions,
): Promise<number> {
  const { reason, edited, yes = false, dryRun = false, json = false } = options;
  if (!dryRun && !yes && !isAskable())
    return wrongUse('without ids many may be meant: say so with --yes, or look first with --dry-run');
  const body = {
    filter,
    dryRun: false,
    limit: AT_ONCE,
    ...(reason !== undefined && { reason }),
    ...(edited && { edited }),
  };
  return await withAdmin(options, async ({ deliveries }) => {
    const { matched } = await deliveries.actMany(act, { ...body, dryRun: true });
    const states = ACT_STATES[act].from.join(' or ');
    if (dryRun) {
      if (json) await print(`${JSON.stringify({ matched, done: 0, skipped: [], next: null })}\n`);
      else await print(`${meant(matched, states)} 符合条件\n`);
      return 0;
    }
    if (matched > 0 && !yes && !(await confirmed(act, matched, states)))
      return refuse('NOT_CONFIRMED', 'nothing was done');
    const progress = progressOn(process.stderr, { ...WORDS[act], what: 'deliveries' });
    let all: ActedMany;
    try {
      all = await inTurns(deliveries, act, body, matched, progress);
    } finally {
      progress.end();
    }
    await print(json ? `${JSON.stringify(all)}\n` : `${all.done} ${WORDS[act].done} 已${WORDS[act].zh}\n`);
    for (const { code, count } of all.skipped) refuse(printable(code), `${count} left as they are`);
    return all.skipped.length === 0 ? 0 : 1;
  });
}

async function inTurns(
  deliveries: Admin['deliveries'],
  act: DeliveryAct,
  body: ManyActBody,
  matched: number,
  progress: Progress,
): Promise<ActedMany> {
  const skipped = new Map<string, number>();
  let done = 0;
  let next: string | null = null;
  do {
    const part: ActedMany = await deliveries.actMany(act, {
      ...body,
      ...(next !== null && { cursor: next }),
    });
    done += part.done;
    for (const { code, count } of part.skipped) skipped.set(code, (skipped.get(code) ?? 0) + count);
    next = part.next;
    progress.step(done, matched);
  } while (next !== null);
  return { matched, done, skipped: [...skipped].map(([code, count]) => ({ code, count })), next: null };
}

async function confirmed(act: DeliveryAct, matched: number, states: string): Promise<boolean> {
  const { zh } = WORDS[act];
  return await saysYes(
    `${act}: ${meant(matched, states)} (--dry-run only counts).\n确认${zh}? Type "yes" to go on: `,
  );
}

function meant(count: number, states: string): string {
  return `${count} ${count === 1 ? 'delivery that is' : 'deliveries that are'} ${states}`;
}
