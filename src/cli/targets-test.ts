import { printable } from '../config/terminal-text.js';
import type { DrillAnswer } from '../console/api/drills.schema.js';
import { type AdminPlace, withAdmin } from './admin.js';
import { pc } from './colours.js';
import { print } from './output.js';
import { drillStep } from './words.js';

export type DrillOptions = AdminPlace & {
  /** `--no-send`. */
  readonly send: boolean;
  readonly json?: boolean;
};

/** `aftersign targets test [name]`: tries targets step by step, with a marked real send. Exit code 1 when one fails. */
export async function testTargets(target: string | undefined, options: DrillOptions): Promise<number> {
  const { send, json = false } = options;
  return await withAdmin(options, async ({ targets }) => {
    const answer = await targets.test({ send, ...(target !== undefined && { target }) });
    if (json) await print(`${JSON.stringify(answer)}\n`);
    else await tell(answer);
    return answer.items.every(({ ok }) => ok) ? 0 : 1;
  });
}

async function tell({ items, left, more }: DrillAnswer): Promise<void> {
  for (const { target, ok, steps } of items) {
    const lines = steps.map(
      (one) =>
        `  ${one.ok ? pc.green('✓') : pc.red('✗')} ${drillStep(one.step)} ${pc.dim(`${one.ms} ms`)}  ${one.code === null ? '' : `${printable(one.code)}: `}${printable(one.detail)}`,
    );
    await print(
      [`${ok ? pc.green('✓') : pc.red('✗')} ${pc.bold(printable(target))}`, ...lines, ''].join('\n'),
    );
  }
  if (items.length === 0) process.stderr.write('No targets. 无记录。\n');
  for (const { rule, action, code } of left)
    process.stderr.write(`${printable(code)}: ${printable(rule)} / ${printable(action)} was not tested\n`);
  if (more > 0)
    process.stderr.write(`${more} more targets were not tested 未测试: give their names one by one\n`);
}
