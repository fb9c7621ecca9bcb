import type { Command } from 'commander';
import type { DeliveryAct } from '../action/delivery-acts.js';
import type { AdminPlace } from './admin.js';
import { example, withPlace } from './command-options.js';
import { type DeliveryFilterOptions, withDeliveryFilter } from './deliveries-list.js';
import { type ListOptions, withListOptions } from './list-pages.js';

const ACTS: Readonly<Record<DeliveryAct, string>> = {
  redrive: 'send dead deliveries again, at once and with all their attempts',
  release: 'let held deliveries go out',
  discard: 'give up held deliveries: they are never sent',
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
    withPlace(deliveries.command(`${act} <ids...>`))
      .description(description)
      .option('--reason <text>', 'why, for the audit log')
      .addHelpText(
        'after',
        example(
          `aftersign deliveries ${act} 019ab3c1-5a77-7d6e-8f7e-0d3c6a5b9f10 --reason "payroll is back"`,
        ),
      )
      .action(async (ids: string[], options: AdminPlace & { reason?: string; json?: boolean }) => {
        const { actOnDeliveries } = await import('./deliveries-act.js');
        process.exitCode = await actOnDeliveries(act, ids, options);
      });
  }

  const targets = program.command('targets').description('where deliveries go');
  withPlace(targets.command('list'))
    .description('each target, and where deliveries stand still')
    .addHelpText('after', example('aftersign targets list'))
    .action(async (options: AdminPlace & { json?: boolean }) => {
      const { listTargets } = await import('./targets-list.js');
      process.exitCode = await listTargets(options);
    });
}
