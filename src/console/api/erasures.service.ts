import type { DataSource } from 'typeorm';
import type { Actor } from '../../config/access.js';
import type { Clock } from '../../config/clock.js';
import type { AuditLog } from '../access/audit-log.js';
import type { Erasures } from '../erasure.js';
import type { ErasureBody, ErasureDays, ErasureResult } from './erasures.schema.js';

/** Removes what is stored of a person, one day's events at a time. */
export class ErasuresService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly erasures: Erasures,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  readonly days: (actor: Actor) => Promise<ErasureDays> = () => this.erasures.days();

  /** The audit log tells of it without the values: they are what is to be gone. */
  async erase(actor: Actor, request: ErasureBody): Promise<ErasureResult> {
    return await this.dataSource.transaction(async (tx) => {
      const answer = await this.erasures.erase(tx, request, this.clock.now());
      const { day, ...counts } = answer;
      const { dryRun, values } = request;
      await this.audit.record(tx, actor, {
        action: 'events.erase',
        subject: `day:${day}`,
        detail: { dryRun, values: values.length, ...counts },
      });
      return answer;
    });
  }
}
