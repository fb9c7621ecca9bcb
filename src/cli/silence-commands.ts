import { type Command, InvalidArgumentError, Option } from 'commander';
import { SILENCE_STATES, type SilenceState } from '../rules/silence-store.js';
import type { AdminPlace } from './admin.js';
import { example, withPlace } from './command-options.js';
import { type ListOptions, withListOptions } from './list-pages.js';
import { comingEnd, comingMoment } from './moment.js';
import { type Match, parseMatch } from './silence-match.js';
import type { NewSilenceOptions } from './silences.js';

type Json = AdminPlace & { json?: boolean };

/** `aftersign silences …`. */
export function addSilenceCommands(program: Command): void {
  const silences = program
    .command('silences')
    .description('what is not to be sent for a time, by whom, why, and until when');
  withPlace(withListOptions(silences.command('list')))
    .description('all silences, the newest first')
    .addOption(new Option('--state <state>', 'that are').choices(SILENCE_STATES))
    .addHelpText('after', example('aftersign silences list --state active'))
    .action(async (options: { state?: SilenceState } & ListOptions & AdminPlace) => {
      const { listSilences } = await import('./silences.js');
      process.exitCode = await listSilences(options);
    });
  withPlace(silences.command('add'))
    .description('a new silence: deliveries that fit all of it are not made while it lasts, nor later')
    .option('--rule <name>', 'of this rule, or of a pattern like payroll-*')
    .option('--action <name>', 'of actions with this name')
    .option('--owner <owner>', 'of rules of this owner')
    .option(
      '--match <fact=value>',
      'of events on which this fact has this value, or with != another; several times: all of them',
      addMatch,
      [],
    )
    .option('--conditions <file>', 'of events on which these conditions hold, written as in a rule')
    .option('--from <time>', 'from a date or date-time on; without it from now on', comingMoment)
    .option('--for <duration>', 'for so long: 30m, 2h, 3d')
    .option('--until <time>', 'until a date-time; a date is meant to its end', comingEnd)
    .requiredOption('--reason <text>', 'why: everybody sees it')
    .addHelpText(
      'after',
      example(
        "aftersign silences add --rule 'payroll-*' --for 2h --reason 'payroll is being upgraded'",
        "aftersign silences add --match process_id=7072306364927985196 --match 'status!=2' --until 2026-12-01 --reason test",
      ),
    )
    .action(async (options: NewSilenceOptions) => {
      const { addSilence } = await import('./silences.js');
      process.exitCode = await addSilence(options);
    });
  withPlace(silences.command('end <id>'))
    .description('end a silence before its time')
    .option('--reason <text>', 'why, for the audit log')
    .addHelpText('after', example('aftersign silences end 019ab3c1-5a77-7d6e-8f7e-0d3c6a5b9f10'))
    .action(async (id: string, options: Json & { reason?: string }) => {
      const { endSilence } = await import('./silences.js');
      process.exitCode = await endSilence(id, options);
    });
}

function addMatch(text: string, before: readonly Match[]): readonly Match[] {
  const match = parseMatch(text);
  if (match === null) throw new InvalidArgumentError("It must be like 'status=3' or 'status!=3'.");
  return [...before, match];
}
