// Real: the built code (dist/) in a process of its own, with its thread. What it prints is what is tested.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { analysed } from '../../support/analysed.js';
import { expenseCatalogue } from '../../support/expense-catalogue.js';
import { temporaryFolder } from '../../support/folder.js';
import { all, EXPENSE, filesOf, leaf, rule, tell } from '../../support/rule-parts.js';

const built = (file: string): string => pathToFileURL(join('dist', file)).href;
const PROGRAM = `
import { Catalogue } from '${built('events/catalogue.js')}';
import { analyseRuleFiles } from '${built('rules/analysis/analyse-rule-files.js')}';
const { files, entries, abort } = JSON.parse(process.env.ORDER);
const controller = new AbortController();
const steps = [];
if (abort) setImmediate(() => controller.abort(new Error('not wanted any more')));
try {
  const analysis = await analyseRuleFiles(new Map(files), new Catalogue(entries), undefined, (...step) => steps.push(step), controller.signal);
  console.log(JSON.stringify({ ...analysis, steps }));
} catch (error) {
  console.log(JSON.stringify({ error: error.message }));
}`;

async function run(files: ReadonlyMap<string, string>, abort = false): Promise<Record<string, unknown>> {
  const order = { files: [...files], entries: expenseCatalogue().entries, abort };
  const program = join(temporaryFolder('thread'), 'analyse.mjs');
  writeFileSync(program, PROGRAM);
  const { stdout } = await promisify(execFile)(process.execPath, [program], {
    env: { ...process.env, ORDER: JSON.stringify(order) },
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout) as Record<string, unknown>;
}

const rules = Array.from({ length: 120 }, (_, at) =>
  rule(
    `rule-${at}`,
    EXPENSE,
    all(leaf('amount', 'greaterThan', at), leaf('amount', 'lessThan', at + (at % 7))),
    {
      actions: [tell('x')],
    },
  ),
);

describe('the analysing thread', () => {
  it('finds what is found without it, and tells how far it is', async () => {
    const files = filesOf(rules);
    const { findings, questions, steps } = await run(files);
    const here = await analysed(files, expenseCatalogue());
    expect(findings).toEqual(JSON.parse(JSON.stringify(here.findings)));
    expect(questions).toEqual(here.questions);
    expect((findings as unknown[]).length).toBeGreaterThan(100);
    expect((steps as unknown[]).at(-1)).toEqual([120, 120]);
  });

  it('asks nothing of files with errors', async () => {
    const files = new Map([['a.rule.json', '{"name": "broken"}']]);
    expect(await run(files)).toEqual({ findings: [], questions: {}, steps: [] });
  });

  it('ends when it is told to', async () => {
    expect(await run(filesOf(rules), true)).toEqual({ error: 'not wanted any more' });
  });
});
