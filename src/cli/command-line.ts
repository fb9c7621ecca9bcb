import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { messageOf } from '../config/log.js';

/** Runs one command of `aftersign`. Exit code 0 fine, 1 findings or refused, 2 wrong use. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  // Whoever reads has had enough, as `head` has: not an error of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
  const program = new Command('aftersign')
    .description('What happens after a sign-off: rules on approval events')
    .exitOverride()
    .configureOutput({ writeErr: (text) => process.stderr.write(text) });

  program
    .command('demo')
    .description('start everything on this machine and follow one approval event all the way')
    .option('--once', 'exit after the event: 0 only when the request and the mail arrived')
    .addHelpText('after', '\nExample:\n  npm run demo -- --once')
    .action(async (options: { once?: boolean }) => {
      const { runDemo } = await import('./demo.js');
      process.exitCode = await runDemo({ once: options.once ?? false });
    });

  program
    .command('fake-feishu')
    .description(
      'a Feishu platform on this machine, to try Aftersign with; prints the settings that lead there',
    )
    .option('--port <n>', 'port of 127.0.0.1; 0: any', port, 3900)
    .option('--webhook <url>', 'push to this webhook too', httpUrl)
    .addHelpText(
      'after',
      '\nExample:\n  npm run fake-feishu -- --port 3900 --webhook http://127.0.0.1:3000/webhook/event',
    )
    .action(async (options: { port: number; webhook?: string }) => {
      const { runFakeFeishu } = await import('./fake-feishu.js');
      process.exitCode = await runFakeFeishu(options);
    });

  addRuleCommands(program.command('rules').description('rule files, and the rule set that is live'));

  addEventCommands(program.command('events').description('events that came in, or are to come in'));

  program
    .command('explain <event-id>')
    .description('why each rule fired or did not, by the rule set that decided')
    .option('--rule <name>', 'this rule only, also when it does not listen to the event')
    .option('--json', JSON_OPTION)
    .addHelpText(
      'after',
      '\nExample:\n  aftersign explain 5e3702a84e847582be8db7fb73283c02 --rule renewal-done',
    )
    .action(async (eventId: string, options: { rule?: string; json?: boolean }) => {
      const { explainStoredEvent } = await import('./explain.js');
      process.exitCode = await explainStoredEvent(eventId, {
        rule: options.rule,
        json: options.json ?? false,
      });
    });

  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else {
      process.stderr.write(`${messageOf(error)}\n`);
      process.exitCode = 1;
    }
  }
}

const JSON_OPTION = 'one JSON document on standard output';

function addEventCommands(events: Command): void {
  events
    .command('import <file>')
    .description(
      'store the events of a file, one JSON text a line: Feishu envelopes, CloudEvents, or bodies of a declared source',
    )
    .option('--source <name>', 'the lines are bodies of this source of SOURCES_FILE')
    .option('--app <app-id>', 'events of this Feishu app only; also the app of envelopes that name none')
    .option('--only-store', 'no rule decides the events and nothing is sent')
    .option('--from-start', 'not from where an interrupted import of this file stopped')
    .option('--json', JSON_OPTION)
    .addHelpText(
      'after',
      '\nWhat is stored already is not stored again. After an interruption the same command goes on.\n\nExample:\n  aftersign events import missed.ndjson --only-store',
    )
    .action(
      async (
        file: string,
        options: { source?: string; app?: string; onlyStore?: boolean; fromStart?: boolean; json?: boolean },
      ) => {
        const { importEvents } = await import('./events-import.js');
        const { source, app, onlyStore = false, fromStart = false, json = false } = options;
        process.exitCode = await importEvents(file, { source, app, onlyStore, fromStart, json });
      },
    );
}

function addRuleCommands(rules: Command): void {
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
  rules
    .command('show [name]')
    .description('each rule, or one, as a plain table')
    .option('--rules <dir>', 'another rules folder')
    .option('--live', 'the rule set that is live, instead of the files')
    .option('--json', JSON_OPTION)
    .addHelpText('after', '\nExample:\n  aftersign rules show renewal-done')
    .action(async (name: string | undefined, options: { rules?: string; live?: boolean; json?: boolean }) => {
      const { showRules } = await import('./rules-show.js');
      const { live = false, json = false } = options;
      process.exitCode = await showRules(name, { rules: options.rules, live, json });
    });
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
  rules
    .command('activate <hash>')
    .description('make a stored rule set live again, by the first 6 or more digits of its hash')
    .option('--json', JSON_OPTION)
    .addHelpText('after', '\nExample:\n  aftersign rules activate 3f9c21ab77d0')
    .action(async (hash: string, options: { json?: boolean }) => {
      const { activateRuleSet } = await import('./rules-activate.js');
      process.exitCode = await activateRuleSet(hash, options.json ?? false);
    });
}

function count(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('It must be a number from 1 to 9999.');
  return Number(text);
}

function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError('It must be a number from 0 to 65535.');
  return Number(text);
}

function httpUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    throw new InvalidArgumentError('It must be an address like http://127.0.0.1:3000/webhook/event.');
  return text;
}
