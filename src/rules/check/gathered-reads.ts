import { placeholdersIn } from '../compiled-lookup.js';
import type { FileReport } from './file-report.js';
import type { JsonNode } from './json-text.js';
import { textsUnder } from './lookup-reads.js';
import type { RuleEvents } from './rule-events.js';
import { missingInSubject } from './template-reads.js';

/** What a message that gathers several matches has several of. */
const OF_ONE = ['event', 'task', 'node', 'process', 'lookup'];

/** Checks what an action reads that is sent once for many: their list, and nothing of a single one of them. */
export function checkGatheredReads(action: JsonNode, events: RuleEvents, report: FileReport): void {
  for (const { node, text } of textsUnder(action)) {
    for (const { path, filters } of placeholdersIn(text)) {
      const [root = '', number = '', ...rest] = path;
      if (OF_ONE.includes(root)) {
        report.error(
          node,
          'TEMPLATE_VALUE_MISSING',
          `with "digest", one message is sent for several matches: it cannot read "${root}"`,
          `Write it into "item" of "digest", and {{ items }} here; or {{ items[0].${path.join('.')} }} for the first of them.`,
        );
        continue;
      }
      if (root !== 'items' || filters.some(({ name }) => name === 'default')) continue;
      const problem = /^\d+$/.test(number) ? missingInSubject(rest, events) : null;
      if (problem?.severity === 'error')
        report.error(node, 'TEMPLATE_VALUE_MISSING', problem.message, problem.mend);
      else if (problem) report.warning(node, 'TEMPLATE_VALUE_MISSING', problem.message, problem.mend);
    }
  }
}

/** Checks that nothing reads the list of a digest that is not sent by one. */
export function checkNoItems(texts: JsonNode, mend: string, report: FileReport): void {
  for (const { node, text } of textsUnder(texts)) {
    if (!placeholdersIn(text).some(({ path }) => path[0] === 'items')) continue;
    report.error(
      node,
      'TEMPLATE_VALUE_MISSING',
      '"items" is what a digest gathers, and this is no digest',
      mend,
    );
  }
}
