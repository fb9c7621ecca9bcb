import { type Command, Option } from 'commander';
import { RADAR_KINDS } from '../rules/radar/finding.js';
import type { AdminPlace } from './admin.js';
import { example, withPlace } from './command-options.js';
import type { RadarOptions, ReconcileOptions } from './radar.js';

/** `aftersign radar …`. */
export function addRadarCommands(program: Command): void {
  const radar = program
    .command('radar')
    .description('what nobody would miss until it is too late; exit code 1 when there is something');
  withPlace(radar)
    .option('--since <duration>', 'over events of so long: 12h, 30d, which it is without')
    .option(
      '--grace <duration>',
      'what is lost of processes that were left alone for so long: 15m; 0s at once',
    )
    .addOption(new Option('--kind <kind>', 'findings of this kind only').choices(RADAR_KINDS))
    .addOption(
      new Option('--state <state>', 'without looking anew those that are').choices([
        'open',
        'dismissed',
        'gone',
      ]),
    )
    .addHelpText('after', example('aftersign radar --since 30d', 'aftersign radar --kind lost-events --json'))
    .action(async (options: RadarOptions) => {
      const { tellRadar } = await import('./radar.js');
      process.exitCode = await tellRadar(options);
    });
  withPlace(radar.command('dismiss <id>'))
    .description('a finding that is as it should be: it stays silent for as long as it holds')
    .requiredOption('--reason <text>', 'why: everybody sees it')
    .addHelpText(
      'after',
      example(
        "aftersign radar dismiss 019ab3c1-5a77-7d6e-8f7e-0d3c6a5b9f10 --reason 'no rule is wanted for it'",
      ),
    )
    .action(async (id: string, _own: object, command: Command) => {
      const { dismissFinding } = await import('./radar.js');
      process.exitCode = await dismissFinding(
        id,
        command.optsWithGlobals<AdminPlace & { reason: string; json?: boolean }>(),
      );
    });
  withPlace(radar.command('reconcile [entity]'))
    .description('ask the platform about a process, or all of which events were lost, and make up for them')
    .option('--dry-run', 'only tell what would be made up')
    .option('--reason <text>', 'why, for the audit log')
    .addHelpText(
      'after',
      example('aftersign radar reconcile --dry-run', 'aftersign radar reconcile process:7072306364927985196'),
    )
    .action(async (entity: string | undefined, _own: object, command: Command) => {
      const { reconcile } = await import('./radar.js');
      process.exitCode = await reconcile(entity, command.optsWithGlobals<ReconcileOptions>());
    });
}
