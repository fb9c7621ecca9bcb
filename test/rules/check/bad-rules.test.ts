// One small folder for each mistake. `expected.txt` is everything that may be found there: file:line:column, severity
// and code, in the order of the place.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { checkFiles } from '../../../src/rules/check/check-files.js';
import { expenseCatalogue } from '../../support/expense-catalogue.js';

const CORPUS = join('test', 'fixtures', 'bad-rules');
const catalogue = expenseCatalogue();
const folders = readdirSync(CORPUS).sort();

function filesIn(folder: string): Map<string, string> {
  return new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(folder, path).split(sep).join('/'), readFileSync(path, 'utf8')]),
  );
}

describe('the bad rules', () => {
  it.each(folders)('%s', (name) => {
    const folder = join(CORPUS, name);
    const { findings, rules } = checkFiles(filesIn(folder), catalogue);
    const found = findings.map(
      ({ file, line, column, severity, code }) => `${file}:${line}:${column} ${severity} ${code}\n`,
    );
    expect(found.join('')).toBe(readFileSync(join(folder, 'expected.txt'), 'utf8'));
    for (const { message, mend } of findings) expect([message, mend]).not.toContain('');
    // A rule with an error is not handed on; one with a warning is.
    const broken = new Set(
      findings
        .filter(({ severity }) => severity === 'error')
        .map(({ file, rule }) => `${file} ${rule ?? ''}`),
    );
    for (const rule of rules) expect(broken).not.toContain(`${rule.file} ${rule.name}`);
  });

  it('are many, of many kinds', () => {
    const codes = new Set(
      folders.flatMap((name) =>
        [...readFileSync(join(CORPUS, name, 'expected.txt'), 'utf8').matchAll(/ ([A-Z_]+)$/gm)].map(
          ([, code]) => code,
        ),
      ),
    );
    expect(folders.length).toBeGreaterThanOrEqual(70);
    expect(codes.size).toBeGreaterThanOrEqual(50);
  });
});
