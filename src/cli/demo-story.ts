import type { CatalogueEntry } from '../events/catalogue.js';
import { type DemoApp, signedPush } from './demo-event.js';

const RENEWAL = { process_id: '7500412983700000017', biz_type: 'renewal_record' };
const TRANSFER = { process_id: '7500412983700000024', biz_type: 'job_change' };
const PROBATION = { process_id: '7500412983700000031', biz_type: 'probation' };

/** A renewal that two approve, of whom one has second thoughts; a transfer; a probation that is rejected. */
const STORY = [
  { minutesAgo: 95, ...RENEWAL, approver_id: '7500412983711000001', status: 1 },
  { minutesAgo: 94, ...RENEWAL, approver_id: '7500412983711000002', status: 1 },
  { minutesAgo: 80, ...RENEWAL, approver_id: '7500412983711000001', status: 3 },
  { minutesAgo: 61, ...RENEWAL, approver_id: '7500412983711000002', status: 3 },
  { minutesAgo: 44, ...RENEWAL, approver_id: '7500412983711000002', status: 1 },
  { minutesAgo: 40, ...TRANSFER, approver_id: '7500412983712000001', status: 1 },
  { minutesAgo: 32, ...TRANSFER, approver_id: '7500412983712000001', status: 3 },
  { minutesAgo: 25, ...PROBATION, approver_id: '7500412983713000001', status: 1 },
  { minutesAgo: 12, ...PROBATION, approver_id: '7500412983713000001', status: 2 },
  { minutesAgo: 5, ...RENEWAL, approver_id: '7500412983711000002', status: 3 },
];

/** Sends the events of three processes, in their order, as if they came from the last two hours. Answers how many. */
export async function sendStory(url: string, app: DemoApp, entry: CatalogueEntry): Promise<number> {
  const now = Date.now();
  for (const { minutesAgo, ...changes } of STORY) {
    const { headers, body } = signedPush(app, entry, changes, now - minutesAgo * 60_000);
    const answer = await fetch(`${url}/webhook/event`, { method: 'POST', headers, body });
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`an event of the demo was refused: ${answer.status} ${text}`);
  }
  return STORY.length;
}
