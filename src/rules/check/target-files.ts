import { z } from 'zod';
import { parseDuration } from '../../config/duration.js';
import { ANY_LANE, type TargetLimit } from '../../action/target-limits.js';
import type { FileReport } from './file-report.js';
import { membersOf, valueOf } from './json-node.js';
import type { JsonNode } from './json-text.js';
import { didYouMean, nearestName } from './nearest-name.js';
import { checkKeys } from './object-keys.js';
import { reportIssues } from './schema-issues.js';

const MOST_CONCURRENCY = 1000;
const MOST_RATE = 100_000;
const LEAST_PER_MS = 100;
const MOST_PER_MS = 86_400_000;
const MOST_LANES = 1000;

const LIMIT = z.object({
  concurrency: z
    .int('must be a whole number')
    .min(1, 'must be 1 or more')
    .max(MOST_CONCURRENCY, `must be ${MOST_CONCURRENCY} or less`)
    .optional(),
  rate: z
    .strictObject(
      {
        max: z
          .int('must be a whole number')
          .min(1, 'must be 1 or more')
          .max(MOST_RATE, `must be ${MOST_RATE} or less`),
        per: z.string('must be a duration in quotes, like "1s"').transform((text, context): number => {
          const ms = parseDuration(text);
          if (ms !== null && ms >= LEAST_PER_MS && ms <= MOST_PER_MS) return ms;
          context.addIssue(`"${text}" must be a duration from 100ms to 24h, like "1s"`);
          return z.NEVER;
        }),
      },
      'must be an object like {"max": 5, "per": "1s"}',
    )
    .optional(),
});
const KEYS = Object.keys(LIMIT.shape);
const CODES = {
  unknownKey: 'TARGET_KEY_UNKNOWN',
  invalidKey: 'TARGET_KEY_INVALID',
  missingKey: 'TARGET_KEY_MISSING',
  invalidValue: 'TARGET_VALUE_INVALID',
};
const EXAMPLE = 'Write {"http:payroll.example.com": {"concurrency": 2, "rate": {"max": 5, "per": "1s"}}}.';
const NAME = /^(?:\*|email|feishu|(?:http|feishu-bot):[^\s/]{1,190})$/;

/** What targets are spared, of `targets.json`. */
export class TargetFile {
  private readonly limits = new Map<string, TargetLimit>();
  private names: readonly { readonly lane: string; readonly at: JsonNode }[] = [];
  private report: FileReport | null = null;

  read(root: JsonNode, report: FileReport): void {
    this.report = report;
    if (root.type !== 'object') {
      report.error(root, 'TARGET_VALUE_INVALID', 'the file of targets must be an object', EXAMPLE);
      return;
    }
    const lanes = [...membersOf(root)].filter(([lane]) => lane !== '$schema');
    if (lanes.length > MOST_LANES)
      report.error(
        root,
        'TARGET_VALUE_INVALID',
        `there are more than ${MOST_LANES} targets`,
        'Remove those that no rule leads to.',
      );
    this.names = lanes.slice(0, MOST_LANES).flatMap(([lane, { key, value }]) => {
      const isName = checkName(lane, key, report);
      const limit = readLimit(lane, value, report);
      if (limit && isName) this.limits.set(lane, limit);
      return isName && lane !== ANY_LANE ? [{ lane, at: key }] : [];
    });
  }

  /** Checks that something leads to each target, when all that can is known. */
  check(lanes: ReadonlySet<string>): void {
    for (const { lane, at } of this.names) {
      if (lanes.has(lane)) continue;
      this.report?.warning(at, 'TARGET_UNUSED', `no action of a rule leads to "${lane}"`, () =>
        lanes.size === 0 ? 'Remove it.' : didYouMean(lane, lanes),
      );
    }
  }

  /** Whether a target other than `*` is named. */
  get hasNames(): boolean {
    return this.names.length > 0;
  }

  /** The sound ones. */
  documents(): readonly TargetLimit[] {
    return [...this.limits.values()];
  }
}

function checkName(lane: string, at: JsonNode, report: FileReport): boolean {
  if (NAME.test(lane)) return true;
  report.error(at, 'TARGET_KEY_INVALID', `"${lane.slice(0, 100)}" is no target`, () => {
    const url = /^https?:\/\/([^/?#]+)/i.exec(lane)?.[1];
    if (url !== undefined) return `Did you mean "http:${url.toLowerCase()}"?`;
    if (lane.startsWith('email:')) return 'All mail goes through one server: its target is "email".';
    if (lane.startsWith('feishu-message:'))
      return 'All messages of apps go through one platform: its target is "feishu".';
    const meant = nearestName(lane, ['email', 'feishu', ANY_LANE]);
    return meant === null
      ? 'Write "http:" and a host, "feishu-bot:" and the name of a secret, "email", "feishu", or "*" for all others.'
      : `Did you mean "${meant}"?`;
  });
  return false;
}

function readLimit(lane: string, node: JsonNode, report: FileReport): TargetLimit | null {
  if (node.type !== 'object') {
    report.error(node, 'TARGET_VALUE_INVALID', 'what a target is spared must be an object', EXAMPLE);
    return null;
  }
  const errorsBefore = report.errorCount;
  const members = checkKeys(node, { prefix: 'TARGET', known: KEYS, required: [] }, report);
  if (membersOf(node).size === 0)
    report.error(
      node,
      'TARGET_VALUE_INVALID',
      'the limits must not be empty',
      'Add "concurrency" or "rate", or remove it.',
    );
  const given = Object.fromEntries([...members].map(([key, { value }]) => [key, valueOf(value)]));
  const parsed = LIMIT.safeParse(given);
  reportIssues(parsed.error?.issues ?? [], { node, members }, report, CODES);
  if (!parsed.success || report.errorCount > errorsBefore) return null;
  const { concurrency = null, rate } = parsed.data;
  return { lane, concurrency, rate: rate ? { max: rate.max, perMs: rate.per } : null };
}
