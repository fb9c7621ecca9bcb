import { maskEntity, maskReason } from './personal.js';
import type { Catalogue } from '../../events/catalogue.js';
import { RECALL } from '../../rules/replays/replay-worker.js';
import { REPLAY } from '../../rules/replay.js';
import type { LeftEvent, ReplayRow } from '../read/replay-list.js';
import type { Replay, ReplayDetail } from './replays.schema.js';
import { isoOf } from './schema-parts.js';

/** A replay or recall as JSON. */
export function replayOf(row: ReplayRow): Replay {
  const { id, kind, state, createdBy, purpose, ruleSet, onlyRule, filter, code, reason, recalled } = row;
  const { total, waiting, done, skipped, failed, counts } = row;
  return {
    id,
    kind,
    state,
    createdAt: isoOf(row.createdAt),
    createdBy,
    purpose,
    ruleSet,
    rule: onlyRule,
    filter: { ...filter },
    startedAt: isoOf(row.startedAt),
    endedAt: isoOf(row.endedAt),
    code,
    detail: reason,
    events: { total, waiting, done, skipped, failed },
    counts: Object.entries(counts ?? {}).map(([outcome, count]) => ({ outcome, count })),
    deliveries: kind === 'replay' ? null : sumOf(recalled ?? {}),
  };
}

/** The same with the events that could not be done. */
export function replayDetailOf(
  row: ReplayRow,
  left: readonly LeftEvent[],
  catalogue: Catalogue,
  masked: boolean,
): ReplayDetail {
  const base = replayOf(row);
  return {
    ...base,
    detail: masked ? maskReason(base.detail) : base.detail,
    occasion: `${row.kind === 'replay' ? REPLAY : RECALL}${row.id}`,
    left: left.map((one) =>
      masked
        ? { ...one, entity: maskEntity(one.entity, catalogue), reason: maskReason(one.reason) }
        : { ...one },
    ),
    masked,
  };
}

function sumOf(recalled: Readonly<Record<string, number>>): NonNullable<Replay['deliveries']> {
  const of = (outcome: string): number => recalled[outcome] ?? 0;
  return {
    total: Object.values(recalled).reduce((sum, count) => sum + count, 0),
    waiting: of('waiting'),
    cancelled: of('cancelled'),
    kept: of('kept'),
    undone: of('undone'),
    person: of('person'),
    gone: of('gone'),
  };
}
