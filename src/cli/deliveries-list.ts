import { type Command, Option } from 'commander';
import { ACTION_KINDS } from '../action/action.js';
import { DELIVERY_STATES } from '../action/delivery-store.js';
import type { DeliveryQuery } from '../console/api/deliveries.schema.js';
import { type AdminPlace, withAdmin } from './admin.js';
import { type ListOptions, printPages } from './list-pages.js';
import { deliveryTable } from './delivery-table.js';
import { sinceMoment, untilMoment } from './moment.js';

/** Which deliveries are meant, as the options say it. */
export type DeliveryFilterOptions = Omit<DeliveryQuery, 'limit' | 'cursor'>;

export function withDeliveryFilter(command: Command): Command {
  return command
    .addOption(new Option('--state <state>', 'that are').choices(DELIVERY_STATES))
    .option('--rule <name>', 'of this rule')
    .option('--action <name>', 'of actions with this name')
    .addOption(new Option('--kind <kind>', 'of this kind').choices(ACTION_KINDS))
    .option('--target <target>', 'to this target, as "targets list" names it')
    .option('--entity <entity>', 'about this entity, like process:7063…')
    .option('--event <id>', 'of this event, by our id')
    .option('--occasion <name>', 'of evaluations with this occasion, like live')
    .option('--text <text>', 'with this id or key, or of this whole entity, target or rule')
    .option('--since <time>', 'made since: a date, a date-time, or a duration like 2h (ago)', sinceMoment)
    .option('--until <time>', 'made before; a date is meant to its end', untilMoment);
}

/** `aftersign deliveries list`: the deliveries that a filter finds, the newest first. */
export async function listDeliveries(
  options: DeliveryFilterOptions & ListOptions & AdminPlace,
): Promise<number> {
  const { state, rule, action, kind, target, entity, event, occasion, text, since, until } = options;
  const filter = { state, rule, action, kind, target, entity, event, occasion, text, since, until };
  const table = deliveryTable();
  return await withAdmin(
    options,
    async ({ deliveries }) =>
      await printPages((page) => deliveries.list({ ...filter, ...page }), options, table, 'deliveries'),
  );
}
