import { type Command, Option } from 'commander';
import { ACTION_KINDS } from '../action/action.js';
import type { ManyActBody } from '../console/api/deliveries.schema.js';
import type { AdminPlace } from './admin.js';
import { sinceMoment, untilMoment } from './moment.js';

/** Which deliveries are meant, and how they are acted on, as the options say it. */
export type ManyOptions = AdminPlace &
  ManyActBody['filter'] & {
    readonly reason?: string;
    readonly edited?: boolean;
    /** Nobody is asked. */
    readonly yes?: boolean;
    readonly dryRun?: boolean;
    readonly json?: boolean;
  };

export function withActFilter(command: Command): Command {
  return command
    .option('--rule <name>', 'without ids: all of this rule')
    .option('--action <name>', 'of actions with this name')
    .addOption(new Option('--kind <kind>', 'of this kind').choices(ACTION_KINDS))
    .option('--target <target>', 'to this target, as "targets list" names it')
    .option('--code <code>', 'that stand so because of this, like HTTP_503 or BRAKE_BUDGET')
    .option('--entity <entity>', 'about this entity, like process:7063…')
    .option('--since <time>', 'made since: a date, a date-time, or a duration like 2h (ago)', sinceMoment)
    .option('--until <time>', 'made before; a date is meant to its end', untilMoment)
    .option('--dry-run', 'only tell how many are meant')
    .option('-y, --yes', 'do not ask');
}

/** The filter of the options; null: none is given. */
export function actFilterOf(options: ManyActBody['filter']): ManyActBody['filter'] | null {
  const { rule, action, kind, target, code, entity, since, until } = options;
  const given = Object.entries({ rule, action, kind, target, code, entity, since, until }).filter(
    ([, value]) => value !== undefined,
  );
  return given.length === 0 ? null : Object.fromEntries(given);
}
