import type { Catalogue } from '../../src/events/catalogue.js';
import type { IncomingEvent } from '../../src/events/event.js';
import { incomingApprover, incomingOf } from './feishu.js';
import type { StoryEvent } from './task-stories.js';

/** An event of a story as the store takes it. */
export function incomingStory(
  catalogue: Catalogue,
  { eventId, process, task, status, createTime }: StoryEvent,
): IncomingEvent {
  const fields = { process_id: process, status };
  return task === null
    ? incomingOf(catalogue, 'corehr.process.updated_v2', eventId, createTime, fields, 'cli_a')
    : incomingApprover(
        catalogue,
        eventId,
        createTime,
        { ...fields, approver_id: task, node_id: `n-${process}` },
        'cli_a',
      );
}

const HOUR = 3_600_000;

/** The ladder of the stories, and when its steps are due. */
export const STEPS = [
  { name: '24h', after: 24 * HOUR },
  { name: 'boss', after: 48 * HOUR },
  { name: '3d', after: 72 * HOUR },
] as const;

export const STORY_RULE = {
  name: 'nag',
  trigger: ['corehr.process.approver.updated_v2'],
  conditions: { all: [{ fact: 'status', operator: 'equal', value: 1 }] },
  escalate: {
    per: 'task',
    steps: STEPS.map(({ name, after }) => ({
      name,
      after: `${after / HOUR}h`,
      actions: [{ type: 'http', name: 'tell', url: 'https://a.example/{{ event.approver_id }}' }],
    })),
  },
};
