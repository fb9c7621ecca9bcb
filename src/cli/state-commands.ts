import { type Command, Option } from 'commander';
import { TIMER_STATES } from '../console/read/timer-list.js';
import { UNSETTLED_STATES } from '../console/read/unsettled-list.js';
import type { AdminPlace } from './admin.js';
import { example, withPlace } from './command-options.js';
import { type ListOptions, withListOptions } from './list-pages.js';
import { comingEnd } from './moment.js';
import type { TimerFilterOptions } from './timers.js';
import type { UnsettledFilterOptions } from './unsettled-list.js';

type Json = AdminPlace & { json?: boolean };

/** `aftersign state …`, `aftersign timers …` and `aftersign unsettled …`. */
export function addStateCommands(program: Command): void {
  const state = program.command('state').description('what is known of approvals');
  withPlace(state.command('show <entity>'))
    .description(
      'one process, or another root entity: its status, nodes, tasks, history, timers, events and deliveries',
    )
    .addHelpText('after', example('aftersign state show process:7072306364927985196'))
    .action(async (entity: string, options: Json) => {
      const { showState } = await import('./state-show.js');
      process.exitCode = await showState(entity, options);
    });

  const timers = program
    .command('timers')
    .description('escalations under way: what goes out next, and when, if nothing happens');
  withPlace(withListOptions(timers.command('list')))
    .description('the timers that a filter finds; those to come by the time that they are due')
    .addOption(
      new Option('--state <state>', 'that are; without it those whose next step is to come').choices(
        TIMER_STATES,
      ),
    )
    .option('--rule <name>', 'of this rule')
    .option('--entity <entity>', 'of this process, like process:7063…')
    .option('--due-before <time>', 'whose next step is due before; a date is meant to its end', comingEnd)
    .addHelpText('after', example('aftersign timers list --rule remind-approver'))
    .action(async (options: TimerFilterOptions & ListOptions & AdminPlace) => {
      const { listTimers } = await import('./timers.js');
      process.exitCode = await listTimers(options);
    });
  withPlace(timers.command('cancel <ids...>'))
    .description('cancel timers: no further step of them goes out')
    .option('--reason <text>', 'why: it is kept with the timer')
    .addHelpText(
      'after',
      `\nWhen the rule matches again, it is armed anew: "aftersign silences add" keeps it quiet.\n${example('aftersign timers cancel 019ab3c1-5a77-7d6e-8f7e-0d3c6a5b9f10 --reason "done by phone"')}`,
    )
    .action(async (ids: string[], options: Json & { reason?: string }) => {
      const { cancelTimers } = await import('./timers.js');
      process.exitCode = await cancelTimers(ids, options);
    });

  const unsettled = program
    .command('unsettled')
    .description('verdicts "unknown" that wait for a later event, or for a person');
  withPlace(withListOptions(unsettled.command('list')))
    .description('events for which a rule could not be decided, because a fact was missing')
    .addOption(new Option('--state <state>', 'that are').choices(UNSETTLED_STATES))
    .option('--rule <name>', 'of this rule')
    .option('--entity <entity>', 'of this process, like process:7063…')
    .addHelpText('after', example('aftersign unsettled list --state expired'))
    .action(async (options: UnsettledFilterOptions & ListOptions & AdminPlace) => {
      const { listUnsettled } = await import('./unsettled-list.js');
      process.exitCode = await listUnsettled(options);
    });
}
