import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BacktestDetail, BacktestRow } from '../../src/console/api/backtests.schema.js';
import { until } from './door.js';
import type { SeededConsole } from './seeded-console.js';

/** The file of the rule "announce" with another body, and other conditions. */
export function editedAnnouncement({ rules }: SeededConsole): {
  readonly path: string;
  readonly text: string;
} {
  const path = 'announce.rule.json';
  const rule = JSON.parse(readFileSync(join(rules, path), 'utf8')) as Record<string, unknown>;
  const conditions = { all: [{ fact: 'status', operator: 'equal', value: 3 }] };
  const [action] = rule['actions'] as Record<string, unknown>[];
  const actions = [{ ...action, body: { who: '{{ event.applicant }}', status: '{{ event.status }}' } }];
  return { path, text: JSON.stringify({ ...rule, conditions, actions }) };
}

/** Orders a back-test as an operator, and waits for its end. */
export async function endedBacktest({ console }: SeededConsole, json: object): Promise<BacktestDetail> {
  const { status, body, text } = await console.ask('operator', '/backtests', { json });
  if (status !== 202) throw new Error(`${status} ${text}`);
  const { id } = body as BacktestRow;
  let detail: BacktestDetail | undefined;
  await until(async () => {
    detail = await console.get<BacktestDetail>('operator', `/backtests/${id}`);
    return detail.endedAt !== null;
  });
  if (!detail) throw new Error('no answer');
  return detail;
}
