// Real: the loader, the analyst, the files and the analysis. Fake: the store of rule sets (no database), and where it
// says so the analysis, which the test then ends itself.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Analysis } from '../../../src/rules/analysis/analyse.js';
import { type Analyses, RuleAnalyst } from '../../../src/rules/analysis/rule-analyst.js';
import { type Finding, formatFinding } from '../../../src/rules/finding.js';
import { RuleFolderReader } from '../../../src/rules/rule-files.js';
import { RuleLoader } from '../../../src/rules/rule-loader.js';
import type { RuleSetStore } from '../../../src/rules/rule-set-store.js';
import { expenseCatalogue } from '../../support/expense-catalogue.js';
import { temporaryFolder } from '../../support/folder.js';
import { TestLog } from '../../support/log.js';
import { all, leaf, rule, TASK } from '../../support/rule-parts.js';

const catalogue = expenseCatalogue();
const FINDING: Finding = {
  code: 'CONDITIONS_NEVER',
  severity: 'warning',
  file: 'a.rule.json',
  line: 1,
  column: 1,
  message: 'never',
  mend: 'mend',
};
const NOTHING: Analysis = { findings: [], questions: {} };

/** Analyses that end when the test says so. */
class HeldAnalyses {
  readonly begun: { readonly signal: AbortSignal; readonly end: (result: Analysis | Error) => void }[] = [];

  readonly run: Analyses = (_files, signal) =>
    new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error);
      });
      this.begun.push({
        signal,
        end: (result) => {
          if (result instanceof Error) reject(result);
          else resolve(result);
        },
      });
    });
}

const events = (log: TestLog): unknown[] => log.lines.map(({ fields }) => fields['event']);

describe('the analyst', () => {
  it('tells what was found, once, and the log what of it are warnings', async () => {
    const log = new TestLog();
    const held = new HeldAnalyses();
    const analyst = new RuleAnalyst(log, held.run);
    const told: (readonly Finding[])[] = [];
    const info: Finding = { ...FINDING, code: 'ENUM_UNHANDLED', severity: 'info' };
    analyst.start(new Map([['a.rule.json', '{}']]), (found) => told.push(found));
    held.begun[0]?.end({ findings: [FINDING, info], questions: {} });
    await analyst.settled();
    expect(told).toEqual([[FINDING, info]]);
    expect(log.lines).toMatchObject([
      { level: 'warn', fields: { event: 'rules.analysed', findings: 2, warnings: 1 } },
    ]);
    expect(log.lines[0]?.message).toBe(
      `what the rules come to has warnings\n${formatFinding(FINDING, '{}')}`,
    );
  });

  it('leaves an older analysis for a newer one, and tells nothing of it', async () => {
    const log = new TestLog();
    const held = new HeldAnalyses();
    const analyst = new RuleAnalyst(log, held.run);
    const told: string[] = [];
    analyst.start(new Map(), () => told.push('older'));
    analyst.start(new Map(), () => told.push('newer'));
    expect(held.begun.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    held.begun[0]?.end(NOTHING);
    held.begun[1]?.end(NOTHING);
    await analyst.settled();
    expect(told).toEqual(['newer']);
    expect(log.lines).toMatchObject([{ level: 'info', fields: { event: 'rules.analysed' } }]);
  });

  it('that breaks down is a warning in the log and nothing else', async () => {
    const log = new TestLog();
    const held = new HeldAnalyses();
    const analyst = new RuleAnalyst(log, held.run);
    analyst.start(new Map(), () => {
      throw new Error('never called');
    });
    held.begun[0]?.end(new Error('the analysing thread ended early'));
    await analyst.settled();
    expect(log.lines).toMatchObject([
      {
        level: 'warn',
        fields: { event: 'rules.analysis-failed', error: 'the analysing thread ended early' },
      },
    ]);
  });

  it('stops what is under way and begins nothing more', async () => {
    const log = new TestLog();
    const held = new HeldAnalyses();
    const analyst = new RuleAnalyst(log, held.run);
    analyst.start(new Map(), () => undefined);
    await analyst.stop();
    analyst.start(new Map(), () => undefined);
    expect(held.begun.map(({ signal }) => signal.aborted)).toEqual([true]);
    expect(log.lines).toEqual([]);
  });
});

describe('the loader', () => {
  const put = (folder: string, ...values: readonly number[]): void => {
    const conditions = all(...values.map((value) => leaf('status', 'equal', value)));
    writeFileSync(join(folder, 'a.rule.json'), JSON.stringify(rule('a', TASK, conditions)));
  };

  function loaderOf(folder: string, analyses: Analyses | null, order: string[] = []) {
    const log = new TestLog();
    const store = {
      offer: () => {
        order.push('offered');
        return Promise.resolve({ outcome: 'activated', number: 1, cancelledTimers: new Map() });
      },
    } as unknown as RuleSetStore;
    const analyst = analyses
      ? new RuleAnalyst(log, (files, signal) => {
          order.push('analysed');
          return analyses(files, signal);
        })
      : RuleAnalyst.over(catalogue, log);
    return {
      loader: new RuleLoader(new RuleFolderReader(folder), new Map(), store, catalogue, log, analyst),
      analyst,
      log,
    };
  }

  it('has the files analysed once they are live, and never waits for it', async () => {
    const folder = temporaryFolder('analysed');
    put(folder, 2);
    const order: string[] = [];
    const held = new HeldAnalyses();
    const { loader, analyst } = loaderOf(folder, held.run, order);
    await loader.load('start');
    expect(order).toEqual(['offered', 'analysed']);
    expect(loader.findings).toEqual([]);
    held.begun[0]?.end({ findings: [FINDING], questions: {} });
    await analyst.settled();
    expect(loader.findings).toEqual([FINDING]);
  });

  it('leaves the analysis of a set that is no longer on disk', async () => {
    const folder = temporaryFolder('analysed');
    put(folder, 2);
    const held = new HeldAnalyses();
    const { loader, log } = loaderOf(folder, held.run);
    await loader.load('start');
    writeFileSync(join(folder, 'a.rule.json'), '{"name": "broken"}');
    await loader.load('change');
    expect(held.begun.map(({ signal }) => signal.aborted)).toEqual([true]);
    expect(loader.findings.map(({ code }) => code)).not.toContain('CONDITIONS_NEVER');
    expect(events(log)).not.toContain('rules.analysis-failed');
    put(folder, 3);
    await loader.load('change');
    expect(held.begun).toHaveLength(2);
    await loader.stop();
    expect(held.begun[1]?.signal.aborted).toBe(true);
  });

  it('shows what the real analysis finds beside what the check has found', async () => {
    const folder = temporaryFolder('analysed');
    put(folder, 2, 3, 77);
    const { loader, analyst, log } = loaderOf(folder, null);
    await loader.load('start');
    await analyst.settled();
    expect(loader.findings.map(({ code }) => code)).toEqual(['CONDITIONS_NEVER', 'VALUE_NOT_IN_ENUM']);
    expect(events(log)).toEqual(['rules.warnings', 'rules.activated', 'rules.analysed']);
  });
});
