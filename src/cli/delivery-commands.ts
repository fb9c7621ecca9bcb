import type { Command } from 'commander';
import type { DeliveryAct } from '../action/delivery-acts.js';
import type { AdminPlace } from './admin.js';
import { example, withPlace } from './command-options.js';
import { actFilterOf, type ManyOptions, withActFilter } from './act-filter.js';
import { type DeliveryFilterOptions, withDeliveryFilter } from './deliveries-list.js';
import { type ListOptions, withListOptions } from './list-pages.js';
import { wrongUse } from './refuse.js';
import type { DrillOptions } from './targets-test.js';

const ACTS: Readonly<Record<DeliveryAct, string>> = {
  redrive: 'send dead deliveries again, at once and with all their attempts',
  release: 'let held deliveries go out',
  discard: 'give up held or dead deliveries: they are never sent',
  cancel: 'cancel deliveries that are not sent yet',
};

/** `aftersign deliveries …` and `aftersign targets …`. */
export function addDeliveryCommands(program: Command): void {
  const deliveries = program
    .command('deliveries')
    .description('what rules sent, or are to send, and what became of it');
  withPlace(withListOptions(withDeliveryFilter(deliveries.command('list'))))
    .description('the deliveries that a filter finds, the newest first')
    .addHelpText('after', example('aftersign deliveries list --state dead --rule renewal-done --since 1d'))
    .action(async (options: DeliveryFilterOptions & ListOptions & AdminPlace) => {
      const { listDeliveries } = await import('./deliveries-list.js');
      process.exitCode = await listDeliveries(options);
    });
  withPlace(deliveries.command('show <id>'))
    .description('one delivery: what is sent, where, and what came of each attempt')
    .addHelpText('after', example('aftersign deliveries show 019ab3c1-5a77-7d6e-8f7e-0d3c6a5b9f10'))
    .action(async (id: string, options: AdminPlace & { json?: boolean }) => {
      const { showDelivery } = await import('./deliveries-show.js');
      process.exitCode = await showDelivery(id, options);
    });
  for (const [act, description] of Object.entries(ACTS) as [DeliveryAct, string][]) {
    const command = withPlace(withActFilter(deliveries.command(`${act} [ids...]`)))
      .description(description)
      .option('--reason <text>', `why, for the audit log${act === 'discard' ? '; must be given' : ''}`)
      .addHelpText(
        'after',
        example(
          `aftersign deliveries ${act} 019ab3c1-5a77-7d6e-8f7e-0d3c6a5b9f10 --reason "payroll is back"`,
          `aftersign deliveries ${act} --target http:payroll.example.com --since 1d${act === 'discard' ? ' --reason "all paid by hand"' : ''}`,
        ),
      )
      .action(async (ids: string[], options: ManyOptions) => {
        process.exitCode = await actOn(act, ids, options);
      });
    if (act === 'redrive')
      command.option(
        '--edited',
        "a new delivery takes its place, by today's action of the live rule set from the facts of then",
      );
  }

  const targets = program.command('targets').description('where deliveries go');
  withPlace(targets.command('list'))
    .description('each target, and where deliveries stand still')
    .addHelpText('after', example('aftersign targets list'))
    .action(async (options: AdminPlace & { json?: boolean }) => {
      const { listTargets } = await import('./targets-list.js');
      process.exitCode = await listTargets(options);
    });
  withPlace(targets.command('test [name]'))
    .description(
      'try targets step by step: name, connection, TLS, login, and a marked real send; all without a name',
    )
    .option('--no-send', 'connect and sign in only: nothing is sent')
    .addHelpText(
      'after',
      example('aftersign targets test http:payroll.example.com', 'aftersign targets test --no-send'),
    )
    .action(async (name: string | undefined, options: DrillOptions) => {
      const { testTargets } = await import('./targets-test.js');
      process.exitCode = await testTargets(name, options);
    });
}

async function actOn(act: DeliveryAct, ids: readonly string[], options: ManyOptions): Promise<number> {
  const filter = actFilterOf(options);
  if (act === 'discard' && options.reason === undefined)
    return wrongUse('give a --reason: it is kept with what is given up');
  if (ids.length > 0 && filter === null) {
    const { actOnDeliveries } = await import('./deliveries-act.js');
    return await actOnDeliveries(act, ids, options);
  }
  if (ids.length > 0 || filter === null)
    return wrongUse('give the ids of deliveries or a filter like --target, and not both');
  const { actOnMatching } = await import('./deliveries-act-many.js');
  return await actOnMatching(act, filter, options);
}
