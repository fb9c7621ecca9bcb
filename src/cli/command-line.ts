import { Command, CommanderError } from 'commander';
import { messageOf } from '../config/log.js';

/** Runs one command of `aftersign`. Exit code 0 fine, 1 findings or refused, 2 wrong use. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
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

  const rules = program.command('rules').description('the rule set that is live');
  rules
    .command('activate <hash>')
    .description('make a stored rule set live again, by the first 6 or more digits of its hash')
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', '\nExample:\n  aftersign rules activate 3f9c21ab77d0')
    .action(async (hash: string, options: { json?: boolean }) => {
      const { activateRuleSet } = await import('./rules-activate.js');
      process.exitCode = await activateRuleSet(hash, options.json ?? false);
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
