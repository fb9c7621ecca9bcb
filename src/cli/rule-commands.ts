import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AdminPlace } from './admin.js';
import { example, JSON_OPTION, withPlace } from './command-options.js';
import { STANDINGS } from '../console/read/shadow-comparison.js';
import { type ListOptions, withListOptions } from './list-pages.js';
import { sinceMoment, untilMoment } from './moment.js';
import type { ShadowOptions } from './rules-shadow.js';

/** `aftersign rules …`. */
export function addRuleCommands(program: Command): void {
  const rules = program.command('rules').description('rule files, and the rule set that is live');
  rules
    .command('check [dir]')
    .description('everything that is wrong with the rule files, each with its place and its mend')
    .option('--strict', 'exit with 1 on warnings too')
    .option(
      '--no-analysis',
      'only what the files say, not what it comes to: rules that never match, and the like',
    )
    .option('--json', JSON_OPTION)
    .option('--sarif', 'SARIF 2.1.0 on standard output, for code review')
    .addHelpText('after', '\nExample:\n  aftersign rules check rules --strict')
    .action(
      async (
        dir: string | undefined,
        options: { strict?: boolean; json?: boolean; sarif?: boolean; analysis?: boolean },
      ) => {
        const { checkRules } = await import('./rules-check.js');
        const { strict = false, json = false, sarif = false, analysis = true } = options;
        process.exitCode = await checkRules(dir, { strict, json, sarif, analysis });
      },
    );
  rules
    .command('schema [dir]')
    .description('the JSON Schema of rule files, for editors; with the event types of a rules folder')
    .addHelpText(
      'after',
      '\nExample:\n  aftersign rules schema > /tmp/schema.json && mv /tmp/schema.json rules/schema.json',
    )
    .action(async (dir: string | undefined) => {
      const { printRuleSchema } = await import('./rules-schema.js');
      process.exitCode = await printRuleSchema(dir);
    });
  withPlace(rules.command('show [name]'))
    .description('each rule, or one, as sentences and a plain table; or what differs between two rule sets')
    .option('--rules <dir>', 'another rules folder')
    .option('--live', 'the rule set that is live, instead of the files')
    .option('--diff <sets...>', 'two rule sets: folders, "live", or the first 6 or more digits of a hash')
    .addOption(
      new Option('--lang <language>', 'one language of the sentences; both by default').choices(['zh', 'en']),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  aftersign rules show renewal-done\n  aftersign rules show --diff live rules --lang en',
    )
    .action(
      async (
        name: string | undefined,
        options: AdminPlace & {
          rules?: string;
          live?: boolean;
          diff?: readonly string[];
          lang?: 'zh' | 'en';
          json?: boolean;
        },
      ) => {
        const { live = false, json = false, diff, ...given } = options;
        if (diff) {
          const { showRuleDiff } = await import('./rules-diff.js');
          process.exitCode = await showRuleDiff(name, diff, { ...given, live, json });
          return;
        }
        const { showRules } = await import('./rules-show.js');
        process.exitCode = await showRules(name, { ...given, live, json });
      },
    );
  rules
    .command('test [dir]')
    .description('the cases of the rule files (*.cases.json) on a virtual clock; nothing is stored or sent')
    .option('--filter <text>', 'only cases with this in their name, their file or their rules')
    .option('--json', JSON_OPTION)
    .option('--junit <file>', 'JUnit XML into a file, for CI; - is standard output')
    .option('--coverage', 'which conditions, actions and steps the cases have seen')
    .option('--mutate', 'small changes to the rules, and which of them no case notices')
    .option(
      '--threshold <percent>',
      'exit with 1 when the coverage, or a mutation score, is below it',
      percent,
    )
    .option('--watch', 'again at every change, until Ctrl-C')
    .addHelpText(
      'after',
      '\nExamples:\n  aftersign rules test rules --coverage --mutate\n  aftersign rules test --junit report.xml --threshold 90',
    )
    .action(
      async (
        dir: string | undefined,
        options: {
          filter?: string;
          json?: boolean;
          junit?: string;
          coverage?: boolean;
          mutate?: boolean;
          threshold?: number;
          watch?: boolean;
        },
      ) => {
        const { testRules } = await import('./rules-test.js');
        const { json = false, coverage = false, mutate = false, watch = false } = options;
        process.exitCode = await testRules(dir, { ...options, json, coverage, mutate, watch });
      },
    );
  rules
    .command('try [event-file]')
    .description('events through the rule files: verdicts and rendered deliveries; nothing is stored or sent')
    .option('--rules <dir>', 'another rules folder')
    .option('--last <n>', 'the events received last, instead of a file', count)
    .option('--source <name>', 'the file holds bodies of this source of SOURCES_FILE')
    .option('--lookups <file>', 'the answers of look-ups, as {"name": value}; nobody is asked')
    .option('--json', JSON_OPTION)
    .addHelpText(
      'after',
      '\nExamples:\n  aftersign rules try event.json --lookups answers.json\n  aftersign rules try --last 50',
    )
    .action(
      async (
        file: string | undefined,
        options: { rules?: string; last?: number; source?: string; lookups?: string; json?: boolean },
      ) => {
        const { tryRules } = await import('./rules-try.js');
        const { rules: folder, last, source, lookups, json = false } = options;
        process.exitCode = await tryRules(file, { rules: folder, last, source, lookups, json });
      },
    );
  withPlace(withListOptions(rules.command('shadow [rule]')))
    .description('rules in shadow mode beside their live twins: what is the same, and what is not')
    .addOption(new Option('--only <standing>', 'list only what is so').choices(STANDINGS))
    .option('--show <id>', 'one shadow delivery, and where it differs from that of its twin')
    .option('--since <time>', 'decided since: a date, a date-time, or a duration like 7d (ago)', sinceMoment)
    .option('--until <time>', 'decided before; a date is meant to its end', untilMoment)
    .addHelpText(
      'after',
      example(
        'aftersign rules shadow',
        'aftersign rules shadow renewal-done-new --since 2d --only different',
        'aftersign rules shadow --show 019ab3c1-…',
      ),
    )
    .action(async (rule: string | undefined, options: ShadowOptions) => {
      const { showShadow } = await import('./rules-shadow.js');
      process.exitCode = await showShadow(rule, options);
    });
  withPlace(rules.command('case'))
    .description('a case (*.cases.json) of what really happened, personal values replaced')
    .requiredOption('--from-event <id>', "the event, by our id or the sender's")
    .option('--rule <name>', 'the rule to watch, instead of all that said something of the event')
    .addHelpText(
      'after',
      example('aftersign rules case --from-event 5e3702a8… > rules/corehr/found.cases.json'),
    )
    .action(async (options: AdminPlace & { fromEvent: string; rule?: string; json?: boolean }) => {
      const { printCase } = await import('./rules-case.js');
      process.exitCode = await printCase({ ...options, json: options.json ?? false });
    });
  withPlace(rules.command('activate <hash>'))
    .description('make a stored rule set live again, by the first 6 or more digits of its hash')
    .option('--reason <text>', 'why, for the history and the audit log')
    .addHelpText('after', example('aftersign rules activate 3f9c21ab77d0'))
    .action(async (hash: string, options: AdminPlace & { reason?: string; json?: boolean }) => {
      const { activateRuleSet } = await import('./rules-activate.js');
      process.exitCode = await activateRuleSet(hash, options);
    });
  withPlace(withListOptions(rules.command('history')))
    .description('which rule set was live since when, who made it so, and why')
    .addHelpText('after', example('aftersign rules history'))
    .action(async (options: ListOptions & AdminPlace) => {
      const { showHistory } = await import('./rules-history.js');
      process.exitCode = await showHistory(options);
    });
}

function count(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('It must be a number from 1 to 9999.');
  return Number(text);
}

function percent(text: string): number {
  if (!/^\d{1,3}(?:\.\d{1,3})?$/.test(text) || Number(text) > 100)
    throw new InvalidArgumentError('It must be a number from 0 to 100.');
  return Number(text);
}
