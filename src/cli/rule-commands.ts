import { type Command, InvalidArgumentError } from 'commander';
import type { AdminPlace } from './admin.js';
import { example, JSON_OPTION, withPlace } from './command-options.js';
import { type ListOptions, withListOptions } from './list-pages.js';

/** `aftersign rules …`. */
export function addRuleCommands(program: Command): void {
  const rules = program.command('rules').description('rule files, and the rule set that is live');
  rules
    .command('check [dir]')
    .description('everything that is wrong with the rule files, each with its place and its mend')
    .option('--strict', 'exit with 1 on warnings too')
    .option('--json', JSON_OPTION)
    .option('--sarif', 'SARIF 2.1.0 on standard output, for code review')
    .addHelpText('after', '\nExample:\n  aftersign rules check rules --strict')
    .action(
      async (dir: string | undefined, options: { strict?: boolean; json?: boolean; sarif?: boolean }) => {
        const { checkRules } = await import('./rules-check.js');
        const { strict = false, json = false, sarif = false } = options;
        process.exitCode = await checkRules(dir, { strict, json, sarif });
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
    .description('each rule, or one, as a plain table')
    .option('--rules <dir>', 'another rules folder')
    .option('--live', 'the rule set that is live, instead of the files')
    .addHelpText('after', example('aftersign rules show renewal-done'))
    .action(
      async (
        name: string | undefined,
        options: AdminPlace & { rules?: string; live?: boolean; json?: boolean },
      ) => {
        const { showRules } = await import('./rules-show.js');
        const { live = false, json = false } = options;
        process.exitCode = await showRules(name, { ...options, live, json });
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
