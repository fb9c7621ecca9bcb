import { z } from 'zod';
import { FINDING_STATES } from '../../rules/radar/finding-store.js';
import { RADAR_KINDS } from '../../rules/radar/finding.js';
import { COUNT, ID, LABEL, TERM, TIME, VALUE } from './schema-parts.js';

export const RADAR_QUERY = z.strictObject({
  state: z.enum(FINDING_STATES).optional().meta({ description: 'Without it those that are open.' }),
  kind: z.enum(RADAR_KINDS).optional(),
});
export type RadarQuery = z.infer<typeof RADAR_QUERY>;

export const RADAR_FINDING = z
  .object({
    id: ID,
    kind: z.enum(RADAR_KINDS),
    subject: z.string().meta({ description: 'What it is about, the same as long as it stands.' }),
    rules: z.array(z.string()).meta({ description: 'The rules that it concerns.' }),
    count: COUNT.meta({ description: 'Events; of lost events the signs of it.' }),
    sentence: LABEL.meta({ description: 'What it says, in Chinese and English.' }),
    detail: z
      .record(z.string(), VALUE)
      .meta({ description: 'The same in parts, by its kind: docs/radar.md.' }),
    state: z.enum(FINDING_STATES),
    firstSeen: TIME,
    lastSeen: TIME,
    toldAt: TIME.nullable().meta({
      description: 'When the owners were told; null: they were not, or not yet.',
    }),
    endedAt: TIME.nullable().meta({ description: 'Since when it is dismissed, or holds no more.' }),
    endedBy: z.string().nullable(),
    reason: z.string().nullable(),
  })
  .meta({ id: 'RadarFinding', description: 'Something that nobody would miss until it is too late.' });
export type RadarFindingAnswer = z.infer<typeof RADAR_FINDING>;

export const RADAR = z
  .object({
    computedAt: TIME.nullable().meta({ description: 'When the radar looked last; null: never.' }),
    looked: COUNT.meta({ description: 'So many stored events were looked at.' }),
    asks: z
      .boolean()
      .meta({ description: 'Whether the platform is asked about events that may have been lost.' }),
    reconciled: COUNT.meta({ description: 'Events of the last 30 days that were made up for lost ones.' }),
    items: z
      .array(RADAR_FINDING)
      .meta({ description: 'By kind, and the most frequent first; 1000 at most.' }),
  })
  .meta({ id: 'Radar' });
export type RadarAnswerBody = z.infer<typeof RADAR>;

const DURATION = z.string().regex(/^\d{1,5}[smhd]$/, 'must be a duration, like 15m, 36h or 30d');

export const REFRESH_BODY = z
  .strictObject({
    since: DURATION.optional().meta({ description: 'How far back the events lie that are looked at; 30d.' }),
    grace: DURATION.optional().meta({
      description:
        'How long a process must have been left alone before something of it counts as lost; 15m. 0s: at once.',
    }),
  })
  .meta({ id: 'RadarRefresh' });
export type RefreshBody = z.infer<typeof REFRESH_BODY>;

export const DISMISS_BODY = z
  .strictObject({ reason: z.string().trim().min(1).max(500) })
  .meta({ id: 'RadarDismissal' });
export type DismissBody = z.infer<typeof DISMISS_BODY>;

export const RECONCILE_BODY = z
  .strictObject({
    entity: TERM.optional().meta({
      description: 'A process; without it all that the radar has found events lost of, 50 at most.',
      examples: ['process:7072306364927985196'],
    }),
    dryRun: z.boolean().optional().meta({ description: 'Only tell what would be made up.' }),
    reason: z.string().trim().min(1).max(500).optional(),
  })
  .meta({ id: 'Reconciliation' });
export type ReconcileBody = z.infer<typeof RECONCILE_BODY>;

export const RECONCILED = z
  .object({
    dryRun: z.boolean(),
    items: z.array(
      z.object({
        entity: z.string(),
        outcome: z.enum(['healed', 'agrees', 'not-listed', 'failed']).meta({
          description:
            'healed: events were made up. agrees: the platform knows nothing more. not-listed: it leaves something open. failed: it could not be asked.',
        }),
        detail: z.string(),
        made: z.array(
          z.object({
            eventId: z.string(),
            eventType: z.string(),
            task: z.string().nullable(),
            status: z.number(),
            createTime: TIME,
            id: ID.nullable().meta({ description: 'Null: nothing was stored, or it was there already.' }),
          }),
        ),
      }),
    ),
    left: COUNT.meta({
      description:
        'Processes more that were not asked about: the platform takes no more now, or there are more.',
    }),
  })
  .meta({ id: 'ReconciledProcesses' });
export type ReconciledAnswer = z.infer<typeof RECONCILED>;
