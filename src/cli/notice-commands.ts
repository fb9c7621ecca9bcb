import { type Command, Option } from 'commander';
import { NOTICE_KINDS, type NoticeKind } from '../action/notice-store.js';
import { NOTICE_STATES, type NoticeState } from '../rules/notice-rows.js';
import type { AdminPlace } from './admin.js';
import { example, withPlace } from './command-options.js';
import { type ListOptions, withListOptions } from './list-pages.js';

/** `aftersign notices …`. */
export function addNoticeCommands(program: Command): void {
  const notices = program
    .command('notices')
    .description('what owners of rules were told: failing targets, dead letters, brakes …');
  withPlace(withListOptions(notices.command('list')))
    .description('all notices of the last 90 days, the newest first')
    .addOption(new Option('--state <state>', 'that are').choices(NOTICE_STATES))
    .addOption(new Option('--kind <kind>', 'of this kind').choices(NOTICE_KINDS))
    .option('--rule <name>', 'about this rule')
    .addHelpText('after', example('aftersign notices list --state nobody'))
    .action(
      async (
        options: { state?: NoticeState; kind?: NoticeKind; rule?: string } & ListOptions & AdminPlace,
      ) => {
        const { listNotices } = await import('./notices-list.js');
        process.exitCode = await listNotices(options);
      },
    );
}
