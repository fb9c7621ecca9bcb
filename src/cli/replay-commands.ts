import { type Command, InvalidArgumentError } from 'commander';
import { MOST_REPLAYED } from '../rules/replays/replay-store.js';
import { example, withPlace } from './command-options.js';
import { withEventFilter } from './event-filter.js';
import { sinceMoment, untilMoment } from './moment.js';
import type { RecallOptions } from './recall.js';
import type { ReplayOptions } from './replay.js';

/** `aftersign replay` and `aftersign recall`. */
export function addReplayCommands(program: Command): void {
  withPlace(withEventFilter(program.command('replay')))
    .description("stored events again through today's rules; what was sent is not sent again")
    .option('--only-rule <name>', 'of the rules, only this one')
    .option('--limit <n>', `so many events at most, up to ${MOST_REPLAYED}`, limit, 1000)
    .option('--cut', 'when there are more, the oldest; else it is refused')
    .option('--reason <text>', 'why, for the audit log')
    .option('--dry-run', 'only tell what would be sent')
    .option('--yes', 'do not ask')
    .option('--list', 'the replays there were')
    .option('--show <id>', 'one of them, until it is done')
    .option('--cancel <id>', 'stop one of them; what is done stays done')
    .addHelpText(
      'after',
      example(
        'aftersign replay --since 2d --type corehr.process.* --dry-run',
        'aftersign replay --verdict "not matched" --since 2026-11-24 --only-rule renewal-done',
      ),
    )
    .action(async (options: ReplayOptions) => {
      const { replayEvents } = await import('./replay.js');
      process.exitCode = await replayEvents(options);
    });

  withPlace(program.command('recall [rule]'))
    .description('take back what a wrong rule sent, and send what the mended rule asks for')
    .option('--since <time>', 'sent since: a date, a date-time, or a duration like 2h (ago)', sinceMoment)
    .option('--until <time>', 'sent before; a date is meant to its end', untilMoment)
    .option(
      '--rule-set <hash...>',
      'only what these rule sets decided: "live", or the first 6 or more digits',
    )
    .option('--no-replay', 'only what was sent: no other events of the time are evaluated again')
    .option(
      '--export <file>',
      'write what it is about into a file, as .csv or else as lines of JSON; do nothing',
    )
    .option('--force', 'replace the file')
    .option('--reason <text>', 'why, for the audit log')
    .option('--dry-run', 'only tell what would be done')
    .option('--yes', 'do not ask')
    .option('--list', 'what it is about, by target, and do nothing; without a rule, the recalls there were')
    .option('--show <id>', 'a recall that was ordered, until it is done')
    .option('--cancel <id>', 'stop one; what is done stays done')
    .addHelpText(
      'after',
      `\nStep by step: docs/replay-and-recall.md.\n${example(
        'aftersign recall renewal-done --since 3h --list',
        'aftersign recall renewal-done --since 3h --dry-run',
        'aftersign recall renewal-done --since 3h --rule-set 3f9c21ab77d0 --reason "wrong status"',
      )}`,
    )
    .action(async (rule: string | undefined, options: RecallOptions) => {
      const { recall } = await import('./recall.js');
      process.exitCode = await recall(rule, options);
    });
}

function limit(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text) || Number(text) > MOST_REPLAYED)
    throw new InvalidArgumentError(`It must be a number from 1 to ${MOST_REPLAYED}.`);
  return Number(text);
}
