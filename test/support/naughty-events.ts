import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { approverEvent } from './feishu.js';
import type { Stage } from './stage.js';

/** What the corpus has not: what says by a mark of the window that it ran, what is no text, and what is long. */
const OURS = [
  '<img src=x onerror="window.ran=1">',
  '"><svg onload=window.ran=1>',
  '<iframe srcdoc="<script>parent.ran=1</script>"></iframe>',
  '<style>@import "https://elsewhere.example/";*{display:none}</style>',
  '<a href="javascript:window.ran=1" autofocus onfocus="window.ran=1">x</a>',
  "{{constructor.constructor('window.ran=1')()}}",
  '\ud800 and \udfff stand alone',
  '\u202e\u2066gnihtyna\u2069\u200b\u200d\ufeff',
  '__proto__',
  'W'.repeat(10_000),
  '<b>'.repeat(1000),
];

export const CORPUS: readonly string[] = [
  ...OURS,
  ...(JSON.parse(
    readFileSync(
      createRequire(join(process.cwd(), 'package.json')).resolve('big-list-of-naughty-strings/blns.json'),
      'utf8',
    ),
  ) as string[]),
];

/** Events that rules match, so that what they send has the strings too: requests, mails, what a brake holds. */
const MATCHED = [
  { biz_type: 'job_change', status: 3 },
  { biz_type: 'renewal_record', status: 3, node_definition_id: 'approval_7c7d9c4d25b' },
  { biz_type: 'onboarding', status: 3 },
  { biz_type: 'job_change', status: 2 },
] as const;

/**
 * Sends the strings in every text field of genuine events, ids too: each of them once in an event whose texts are all of
 * theirs, and once as the ids of an event that rules match. Answers how many events were taken; what ingestion refuses is
 * no event.
 */
export async function pushNaughty(stage: Stage, strings: readonly string[]): Promise<number> {
  const sample = approverEvent();
  const fields = Object.keys(sample).filter((name) => typeof sample[name] === 'string');
  let taken = 0;
  const send = async (changes: object, header: object): Promise<void> => {
    if (await stage.tryPush({ ...changes }, { ...header })) taken += 1;
  };
  for (let at = 0; at < strings.length; at += fields.length + 2) {
    const next = (offset: number): string => strings[(at + offset) % strings.length] ?? '';
    const texts = Object.fromEntries(fields.map((name, offset) => [name, next(offset)]));
    await send(
      { ...texts, more: { [next(0)]: next(1), list: [next(2), next(3)] } },
      {
        event_id: `${next(fields.length)} ${at}`,
        tenant_key: next(fields.length + 1),
      },
    );
  }
  for (let at = 0; at < strings.length; at += 3) {
    const [process_id, approver_id, node_id] = [0, 1, 2].map(
      (offset) => strings[(at + offset) % strings.length],
    );
    await send({ ...MATCHED[(at / 3) % MATCHED.length], process_id, approver_id, node_id }, {});
  }
  for (const event_type of strings.slice(0, 3)) await send({ note: event_type }, { event_type });
  return taken;
}
