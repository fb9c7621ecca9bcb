import type { Actor } from '../../config/access.js';
import type { Clock } from '../../config/clock.js';
import type { LiveCatalogue } from '../../events/live-catalogue.js';
import type { UnsettledList, UnsettledRow } from '../read/unsettled-list.js';
import { type Page, readTimeCursor, timePageOf } from './page.js';
import { maskEntity, readsPersonal } from './personal.js';
import { isoOf } from './schema-parts.js';
import type { Unsettled, UnsettledQuery } from './unsettled.schema.js';

/** Verdicts "unknown" that wait for a later event, or need a person. */
export class UnsettledService {
  constructor(
    private readonly rows: UnsettledList,
    private readonly parts: { readonly catalogue: LiveCatalogue; readonly clock: Clock },
  ) {}

  async list(actor: Actor, { limit, cursor, ...filter }: UnsettledQuery): Promise<Page<Unsettled>> {
    const { catalogue, clock } = this.parts;
    const after = readTimeCursor(cursor);
    const { entity } = filter;
    const reads = readsPersonal(actor);
    const known = catalogue.current;
    // What a viewer may not read, a viewer may not guess either.
    if (!reads && entity !== undefined && maskEntity(entity, known) !== entity)
      return { items: [], next: null };
    const rows = await this.rows.list(filter, { limit, after }, clock.now());
    return timePageOf(rows, limit, (row) => {
      const one = unsettledOf(row);
      return reads ? one : { ...one, entity: maskEntity(one.entity, known) };
    });
  }
}

/** A row as JSON, without what stands in it besides. */
export function unsettledOf(row: UnsettledRow): Unsettled {
  const { eventId, eventType, rule, entity, missing, state, decidedAt, until } = row;
  return {
    eventId,
    eventType,
    rule,
    entity,
    missing: [...missing],
    state,
    decidedAt: isoOf(decidedAt),
    until: isoOf(until),
  };
}
