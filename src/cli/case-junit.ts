import type { CaseResult } from '../rules/cases/case-result.js';
import type { Finding } from '../rules/finding.js';
import { failureSummary } from '../rules/cases/case-failure-text.js';
import { byFile } from './case-report.js';

/**
 * The results as JUnit XML, as CI servers read it: a suite for each file, a test case for each case. A case that could
 * not be run, and a mistake in the rule files, is an error; anything else that failed is a failure.
 */
export function junitOf(
  results: readonly CaseResult[],
  /** What is told of a failed case. */
  textOf: (result: CaseResult) => string,
  mistakes: readonly Finding[] = [],
): string {
  const suites = [
    ...(mistakes.length > 0 ? [suiteOf('rule files', mistakes.map(mistakeCase))] : []),
    ...[...byFile(results)].map(([file, own]) =>
      suiteOf(
        file,
        own.map((result) => caseOf(result, textOf)),
      ),
    ),
  ];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    tag('testsuites', { name: 'aftersign rules test', ...sumOf(suites) }),
    ...suites.flatMap(({ name, counts, lines }) => [
      `  ${tag('testsuite', { name, ...counts })}`,
      ...lines.map((line) => `    ${line}`),
      '  </testsuite>',
    ]),
    '</testsuites>',
    '',
  ].join('\n');
}

interface Counts {
  readonly tests: number;
  readonly failures: number;
  readonly errors: number;
  /** Seconds. */
  readonly time: string;
}

interface Suite {
  readonly name: string;
  readonly counts: Counts;
  readonly lines: readonly string[];
}

interface TestCase {
  readonly outcome: 'passed' | 'failure' | 'error';
  readonly ms: number;
  readonly xml: string;
}

function suiteOf(name: string, cases: readonly TestCase[]): Suite {
  const count = (outcome: TestCase['outcome']): number =>
    cases.filter((one) => one.outcome === outcome).length;
  const counts = {
    tests: cases.length,
    failures: count('failure'),
    errors: count('error'),
    time: seconds(cases.reduce((sum, { ms }) => sum + ms, 0)),
  };
  return { name, counts, lines: cases.map(({ xml }) => xml) };
}

function sumOf(suites: readonly Suite[]): Counts {
  const sum = (of: (counts: Counts) => number): number =>
    suites.reduce((all, { counts }) => all + of(counts), 0);
  return {
    tests: sum(({ tests }) => tests),
    failures: sum(({ failures }) => failures),
    errors: sum(({ errors }) => errors),
    time: seconds(sum(({ time }) => Number(time) * 1000)),
  };
}

function caseOf(result: CaseResult, textOf: (result: CaseResult) => string): TestCase {
  const { file, line, name, ok, failures, ms } = result;
  const given = { name, classname: file.replace(/\.cases\.json$/, ''), file, line, time: seconds(ms) };
  if (ok) return { outcome: 'passed', ms, xml: tag('testcase', given, '/') };
  const outcome = failures.some(({ kind }) => kind === 'broken') ? 'error' : 'failure';
  const message = failures.map(failureSummary).join('; ');
  const type = failures[0]?.kind ?? 'broken';
  return { outcome, ms, xml: failed(given, outcome, { message, type }, textOf(result)) };
}

function mistakeCase({ file, line, column, code, message, mend }: Finding): TestCase {
  const given = { name: `${file}:${line}:${column} ${code}`, classname: file, file, line, time: seconds(0) };
  return {
    outcome: 'error',
    ms: 0,
    xml: failed(given, 'error', { message, type: code }, `${message}. ${mend}`),
  };
}

function failed(
  given: Readonly<Record<string, string | number>>,
  outcome: 'failure' | 'error',
  about: Readonly<Record<string, string>>,
  text: string,
): string {
  return `${tag('testcase', given)}${tag(outcome, about)}${escaped(text)}</${outcome}></testcase>`;
}

function tag(name: string, attributes: object, end = ''): string {
  const pairs = Object.entries(attributes).map(([key, value]) => ` ${key}="${attribute(String(value))}"`);
  return `<${name}${pairs.join('')}${end}>`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
// What no XML document may hold, not even as a reference.
// eslint-disable-next-line no-control-regex
const IMPOSSIBLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;

function escaped(text: string): string {
  return text
    .replace(IMPOSSIBLE, (one) => `\\u{${(one.codePointAt(0) ?? 0).toString(16)}}`)
    .replace(/[&<>"]/g, (one) => ENTITIES[one] ?? one)
    .replaceAll('\r', '&#13;');
}

/** In attributes a line end would become a blank. */
function attribute(text: string): string {
  return escaped(text).replaceAll('\n', '&#10;').replaceAll('\t', '&#9;');
}
