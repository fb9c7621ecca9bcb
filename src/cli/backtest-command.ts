import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../config/duration.js';
import { example, JSON_OPTION } from './command-options.js';
import { sinceMoment, untilMoment } from './moment.js';

const MOST_EXAMPLES = 50;

interface Given {
  readonly rules?: string;
  readonly against?: string;
  readonly since?: Date;
  readonly until?: Date;
  readonly type?: readonly string[];
  readonly warmUp?: number;
  readonly events?: string;
  readonly source?: string;
  readonly rule?: string;
  readonly examples: number;
  readonly failIf?: readonly string[];
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly output?: string;
  readonly lang?: 'zh' | 'en';
}

/** `aftersign backtest`. */
export function addBacktestCommand(program: Command): void {
  program
    .command('backtest')
    .description(
      'what the rule files would have sent over stored events, beside what other rules would have; nothing is stored or sent',
    )
    .option('--rules <dir>', 'the rules folder; RULES_DIR by default')
    .option(
      '--against <set>',
      'what to compare with: a folder, "live" (the default), the first 6 or more digits of the hash of a stored set, or "none", to see all that the rules would have sent',
    )
    .option(
      '--since <time>',
      'decided since: a date, a date-time, or a duration like 30d (the default)',
      sinceMoment,
    )
    .option('--until <time>', 'decided before; a date is meant to its end', untilMoment)
    .option(
      '--type <type>',
      'only events of this type, or of a pattern like corehr.process.*; may be repeated',
      gathered,
    )
    .option(
      '--warm-up <duration>',
      'so long before, events are taken in without being counted; by default the longest ladder or window in use',
      duration,
    )
    .option(
      '--events <file>',
      'events of a file (NDJSON, also .gz; - is standard input), as "events export" writes them: needs no database',
    )
    .option('--source <name>', 'the lines of the file are bodies of this source of SOURCES_FILE')
    .option('--rule <name>', 'show only this rule')
    .option('--examples <n>', 'how many of each rule and change are shown', count, 3)
    .option('--fail-if <gate>', 'exit with 1 when this holds, like "added > 50"; may be repeated', gathered)
    .option('--json', JSON_OPTION)
    .option('--markdown', 'for a pull request')
    .option('--output <file>', 'a file, instead of standard output')
    .addOption(new Option('--lang <language>', 'one language; both by default').choices(['zh', 'en']))
    .addHelpText(
      'after',
      `\nA gate counts added, removed, changed, moved, undecidable, differences (all of these) or deliveries (those after),\nalso of one rule or target: "rule:renewal-done removed > 0", "target:hr@example.com changed > 5%" (of those before).\n${example(
        'aftersign backtest --rules rules --since 30d',
        'aftersign backtest --rules new --against live --fail-if "added > 50" --fail-if "rule:renewal-done removed > 0"',
        'aftersign backtest --rules new --against old --events november.ndjson.gz --markdown --output backtest.md',
      )}`,
    )
    .action(async (options: Given) => {
      const { backtestRules } = await import('./backtest.js');
      const { json = false, markdown = false, failIf = [] } = options;
      process.exitCode = await backtestRules({ ...options, json, markdown, failIf });
    });
}

function gathered(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new InvalidArgumentError('It must be a duration like 7d.');
  return ms;
}

function count(text: string): number {
  if (!/^\d{1,2}$/.test(text) || Number(text) > MOST_EXAMPLES)
    throw new InvalidArgumentError(`It must be a number from 0 to ${MOST_EXAMPLES}.`);
  return Number(text);
}
