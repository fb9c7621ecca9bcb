import type { Command } from 'commander';
import type { AdminPlace } from './admin.js';
import { example, withPlace } from './command-options.js';
import { type EventFilterOptions, withEventFilter } from './event-filter.js';
import { type ListOptions, withListOptions } from './list-pages.js';

/** `aftersign events …` and `aftersign explain`. */
export function addEventCommands(program: Command): void {
  const events = program.command('events').description('events that came in, or are to come in');
  withPlace(withListOptions(withEventFilter(events.command('list'))))
    .description('the events that a filter finds, the newest first')
    .addHelpText(
      'after',
      example(
        'aftersign events list --status 已完成 --since 2h',
        'aftersign events list --text 7072306364927985196 --all --json',
      ),
    )
    .action(async (options: EventFilterOptions & ListOptions & AdminPlace) => {
      const { listEvents } = await import('./events-list.js');
      process.exitCode = await listEvents(options);
    });
  withPlace(events.command('show <id>'))
    .description("one event, by the sender's id or ours: what it says, what the rules said, what was sent")
    .addHelpText('after', example('aftersign events show 5e3702a84e847582be8db7fb73283c02'))
    .action(async (id: string, options: AdminPlace & { json?: boolean }) => {
      const { showEvent } = await import('./events-show.js');
      process.exitCode = await showEvent(id, options);
    });
  withPlace(withEventFilter(events.command('export')))
    .description(
      'the events that a filter finds, the oldest first, one a line, as "events import" takes them',
    )
    .option('--output <file>', 'a file, instead of standard output; it is there when it is complete')
    .option('--force', 'replace the file')
    .option(
      '--recorded',
      'with what is recorded of the decisions, for "aftersign backtest --events", in the order of these',
    )
    .addHelpText(
      'after',
      example('aftersign events export --since 2026-11-01 --until 2026-11-30 --output november.ndjson'),
    )
    .action(
      async (
        options: EventFilterOptions & AdminPlace & { output?: string; force?: boolean; recorded?: boolean },
      ) => {
        const { exportEvents } = await import('./events-export.js');
        process.exitCode = await exportEvents(options);
      },
    );
  withPlace(events.command('import <file>'))
    .description(
      'store the events of a file, one JSON text a line: Feishu envelopes, CloudEvents, or bodies of a declared source',
    )
    .option('--source <name>', 'the lines are bodies of this source of SOURCES_FILE')
    .option('--app <app-id>', 'events of this Feishu app only; also the app of envelopes that name none')
    .option('--only-store', 'no rule decides the events and nothing is sent')
    .option('--from-start', 'not from where an interrupted import of this file stopped')
    .addHelpText(
      'after',
      `\nWhat is stored already is not stored again. After an interruption the same command goes on.\n${example('aftersign events import missed.ndjson --only-store')}`,
    )
    .action(
      async (
        file: string,
        options: AdminPlace & {
          source?: string;
          app?: string;
          onlyStore?: boolean;
          fromStart?: boolean;
          json?: boolean;
        },
      ) => {
        const { importEvents } = await import('./events-import.js');
        const { onlyStore = false, fromStart = false, json = false } = options;
        process.exitCode = await importEvents(file, { ...options, onlyStore, fromStart, json });
      },
    );
  withPlace(events.command('erase'))
    .description('erase what is stored of a person; who it is stands on standard input, one value a line')
    .option('--values-file <file>', 'the values stand in this file, instead')
    .option('--dry-run', 'only count what would be erased')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      `\nThe values name one person: user id, open id, e-mail, name. They are no parameters, because others on the machine can\nread those.\n${example('aftersign events erase --values-file person.txt --dry-run')}`,
    )
    .action(
      async (
        options: AdminPlace & { valuesFile?: string; dryRun?: boolean; yes?: boolean; json?: boolean },
      ) => {
        const { eraseEvents } = await import('./events-erase.js');
        process.exitCode = await eraseEvents(options);
      },
    );

  withPlace(program.command('explain <event-id>'))
    .description('why each rule fired or did not, by the rule set that decided')
    .option('--rule <name>', 'this rule only, also when it does not listen to the event')
    .addHelpText('after', example('aftersign explain 5e3702a84e847582be8db7fb73283c02 --rule renewal-done'))
    .action(async (eventId: string, options: AdminPlace & { rule?: string; json?: boolean }) => {
      const { explainStoredEvent } = await import('./explain.js');
      process.exitCode = await explainStoredEvent(eventId, { ...options, json: options.json ?? false });
    });
}
