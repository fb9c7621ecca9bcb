import type { Actor } from '../../config/access.js';
import type { TargetList } from '../read/target-list.js';
import { maskTargetRow, readsPersonal } from './personal.js';
import { isoOf } from './schema-parts.js';
import type { Targets } from './targets.schema.js';

/** Where deliveries go, and how each of these places does. */
export class TargetsService {
  constructor(private readonly rows: TargetList) {}

  async list(actor: Actor): Promise<Targets> {
    const items = (await this.rows.list()).map((row) => ({
      ...row,
      lastDeliveredAt: isoOf(row.lastDeliveredAt),
      lastFailedAt: isoOf(row.lastFailedAt),
      oldestPendingAt: isoOf(row.oldestPendingAt),
      rules: [...row.rules],
    }));
    return { items: readsPersonal(actor) ? items : items.map(maskTargetRow) };
  }
}
