import type { EntityManager } from 'typeorm';
import type { PersonValues } from './person-values.js';

/**
 * Reports that hold a value go; their counts stay. One that is being made may come to hold it, and is given up. Of any
 * day: there are few of them.
 */
export async function eraseBacktests(tx: EntityManager, values: PersonValues): Promise<void> {
  await tx.query(
    `update backtests set state = 'failed', code = 'BACKTEST_INTERRUPTED', ended_at = now(), lease_until = null,
            leased_by = null, reason = 'somebody''s data was erased meanwhile: start it again'
      where state = 'running'`,
  );
  const rows = await tx.query<{ id: string; text: string }[]>(
    `select id, report::text as text from backtests
      where report is not null
        and exists (select 1 from unnest($1::text[]) as form where strpos(report::text, form) > 0)`,
    [values.forms],
  );
  const ids = rows.filter(({ text }) => values.isIn(text)).map(({ id }) => id);
  await tx.query(
    `update backtests set report = null, code = 'ERASED', reason = 'it held data of somebody that was erased'
      where id = any($1::uuid[])`,
    [ids],
  );
}
