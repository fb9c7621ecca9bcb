import type { Command } from 'commander';
import { example, withPlace } from './command-options.js';
import { sinceMoment, untilMoment } from './moment.js';
import type { ReportOptions } from './report.js';

export function addReportCommand(program: Command): void {
  withPlace(program.command('report'))
    .description(
      'the balance: what matches asked for, and what became of all of it; exit code 1 when it is not even',
    )
    .option(
      '--since <time>',
      'of events received since: a date, a date-time, or a duration like 24h (ago), which it is without',
      sinceMoment,
    )
    .option('--until <time>', 'received before; a date is meant to its end', untilMoment)
    .addHelpText('after', example('aftersign report --since 24h'))
    .action(async (options: ReportOptions) => {
      const { tellReport } = await import('./report.js');
      process.exitCode = await tellReport(options);
    });
}
