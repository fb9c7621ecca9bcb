import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { messageOf } from '../config/log.js';
import { addBacktestCommand } from './backtest-command.js';
import { addDeliveryCommands } from './delivery-commands.js';
import { addEventCommands } from './event-commands.js';
import { addNoticeCommands } from './notice-commands.js';
import { NobodyReads, watchOutput } from './output.js';
import { addRadarCommands } from './radar-commands.js';
import { addReplayCommands } from './replay-commands.js';
import { addReportCommand } from './report-command.js';
import { addRuleCommands } from './rule-commands.js';
import { addSilenceCommands } from './silence-commands.js';
import { addStateCommands } from './state-commands.js';
import { addUserCommands } from './user-commands.js';

/** Runs one command of `aftersign`. Exit code 0 fine, 1 findings or refused, 2 wrong use. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  watchOutput();
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

  addRuleCommands(program);
  addEventCommands(program);
  addBacktestCommand(program);
  addDeliveryCommands(program);
  addReplayCommands(program);
  addReportCommand(program);
  addRadarCommands(program);
  addNoticeCommands(program);
  addSilenceCommands(program);
  addStateCommands(program);
  addUserCommands(program);

  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else if (!(error instanceof NobodyReads)) {
      process.stderr.write(`${messageOf(error)}\n`);
      process.exitCode = 1;
    }
  }
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
