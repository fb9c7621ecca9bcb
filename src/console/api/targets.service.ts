import type { Actor } from '../../config/access.js';
import type { Clock } from '../../config/clock.js';
import type { TargetList } from '../read/target-list.js';
import { maskTargetRow, readsPersonal } from './personal.js';
import { isoOf } from './schema-parts.js';
import type { Targets } from './targets.schema.js';

/** Where deliveries go, and how each of these places does. */
export class TargetsService {
  constructor(
    private readonly rows: TargetList,
    private readonly clock: Clock,
  ) {}

  async list(actor: Actor): Promise<Targets> {
    const items = (await this.rows.list(this.clock.now())).map(({ rateMax, ratePerMs, ...row }) => ({
      ...row,
      lastDeliveredAt: isoOf(row.lastDeliveredAt),
      lastFailedAt: isoOf(row.lastFailedAt),
      oldestPendingAt: isoOf(row.oldestPendingAt),
      rules: [...row.rules],
      probeAt: isoOf(row.probeAt),
      failingSince: isoOf(row.failingSince),
      rate: rateMax === null || ratePerMs === null ? null : { max: rateMax, perMs: ratePerMs },
    }));
    return { items: readsPersonal(actor) ? items : items.map(maskTargetRow) };
  }
}
