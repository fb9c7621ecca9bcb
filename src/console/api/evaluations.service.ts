import type { Actor } from '../../config/access.js';
import type { EvaluationList } from '../read/evaluation-list.js';
import type { Evaluation, EvaluationQuery } from './evaluations.schema.js';
import { type Page, pageOf, readCursor } from './page.js';

/** Decisions about events, the newest first. */
export class EvaluationsService {
  constructor(private readonly rows: EvaluationList) {}

  async list(_actor: Actor, { limit, cursor, ...filter }: EvaluationQuery): Promise<Page<Evaluation>> {
    const rows = await this.rows.list(filter, { limit, after: readCursor(cursor) });
    return pageOf(
      rows.map((row) => ({ ...row, decidedAt: row.decidedAt.toISOString() })),
      limit,
    );
  }
}
