// Reads, checks and compiles the rules folder given as argument as the service does, then analyses it in its thread, and
// prints what it took.
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { loadBuiltInCatalogue } from '../dist/events/catalogue.js';
import { analyseRuleFiles } from '../dist/rules/analysis/analyse-rule-files.js';
import { compileRuleSet } from '../dist/rules/rule-compiler.js';
import { readRuleFolder } from '../dist/rules/rule-files.js';

const delay = monitorEventLoopDelay({ resolution: 1 });
const began = performance.now();
delay.enable();
const { files } = await readRuleFolder(process.argv[2]);
const read = performance.now();
const { ruleSet, findings } = await compileRuleSet(files, loadBuiltInCatalogue());
const ended = performance.now();
delay.disable();
if (!ruleSet) throw new Error(`${findings.length} findings, the first: ${JSON.stringify(findings[0])}`);
const megabytes = peakMegabytes();
const analysing = performance.now();
const analysis = await analyseRuleFiles(files, loadBuiltInCatalogue());
console.log(
  JSON.stringify({
    readMs: Math.round(read - began),
    totalMs: Math.round(ended - began),
    megabytes,
    longestStallMs: Math.round(delay.max / 1e6),
    analysisMs: Math.round(performance.now() - analysing),
    analysisCut: analysis.findings.some(({ code }) => code === 'ANALYSIS_CUT'),
  }),
);

/** Of this process alone: what getrusage says includes the parent's, from before the exec. */
function peakMegabytes() {
  try {
    return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024);
  } catch {
    return Math.round(process.memoryUsage().rss / 1e6);
  }
}
