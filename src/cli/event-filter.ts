import { type Command, Option } from 'commander';
import { EVENT_STATES, EVENT_VERDICTS, type EventFilterQuery } from '../console/api/events.schema.js';
import { ENVELOPE_FIELDS } from '../events/event-facts.js';
import { sinceMoment, untilMoment } from './moment.js';

/** Which events are meant, as the options say it. */
export interface EventFilterOptions {
  readonly type?: string;
  readonly bizType?: string;
  readonly status?: string;
  readonly entity?: string;
  readonly text?: string;
  readonly source?: string;
  readonly origin?: string;
  readonly state?: EventFilterQuery['state'];
  readonly verdict?: EventFilterQuery['verdict'];
  readonly since?: Date;
  readonly until?: Date;
}

const SOURCES = (ENVELOPE_FIELDS['source']?.enum ?? []).map(({ value }) => String(value));

export function withEventFilter(command: Command): Command {
  return command
    .option('--type <type>', 'an event type, or a pattern like corehr.process.*')
    .option('--biz-type <value>', 'of this biz_type')
    .option('--status <value>', 'with this status: its value or its label, like 已完成 or done')
    .option('--entity <id>', 'about this process, node, task …')
    .option('--text <words>', 'with these words or values anywhere, or with this event id')
    .addOption(new Option('--source <kind>', 'that came in this way').choices(SOURCES))
    .option('--origin <origin>', 'of this sender, like feishu:cli_9f5343c580712544')
    .addOption(new Option('--state <state>', 'that are').choices(EVENT_STATES))
    .addOption(new Option('--verdict <verdict>', 'for which a rule came out so').choices(EVENT_VERDICTS))
    .option('--since <time>', 'received since: a date, a date-time, or a duration like 2h (ago)', sinceMoment)
    .option('--until <time>', 'received before; a date is meant to its end', untilMoment);
}

/** The filter as the API takes it. */
export function eventFilterOf(options: EventFilterOptions): EventFilterQuery {
  const { type, bizType, status, entity, text, source, origin, state, verdict, since, until } = options;
  return { type, biz_type: bizType, status, entity, text, source, origin, state, verdict, since, until };
}
