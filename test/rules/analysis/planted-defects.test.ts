// Every kind of mistake that can be decided is found, in rule sets that are sound but for it. Nothing is faked: the
// files go through the check and the analysis as they do in `rules check`.
import { describe, expect, it } from '@jest/globals';
import { analysed } from '../../support/analysed.js';
import { expenseCatalogue } from '../../support/expense-catalogue.js';
import { DEFECT_KINDS } from '../../support/planted-defects.js';
import { SeededRandom } from '../../support/seeded-random.js';

const VARIANTS = 20;
const catalogue = expenseCatalogue();
const seed = Number(process.env['FC_SEED'] ?? Date.now());
const found = { of: 0, all: 0 };

describe(`planted defects (seed ${seed})`, () => {
  it('are of forty kinds or more', () => {
    expect(new Set(DEFECT_KINDS.map(({ name }) => name)).size).toBe(DEFECT_KINDS.length);
    expect(DEFECT_KINDS.length).toBeGreaterThanOrEqual(40);
  });

  it.each(DEFECT_KINDS.map((kind, at) => ({ ...kind, at, title: kind.name })))(
    '$title',
    async ({ plant, at }) => {
      const missed: string[] = [];
      for (let variant = 0; variant < VARIANTS; variant += 1) {
        const { files, expected } = plant(new SeededRandom(seed, at * VARIANTS + variant));
        const { findings } = await analysed(files, catalogue);
        const codes = findings.filter(({ rule }) => !rule?.startsWith('beside-')).map(({ code }) => code);
        found.all += 1;
        if (expected.some((code) => codes.includes(code))) found.of += 1;
        else
          missed.push(`expected ${expected.join()}, got ${codes.join()}: ${[...files.values()].join('\n')}`);
        for (const { message, mend } of findings) expect([message, mend]).not.toContain('');
      }
      expect(missed).toEqual([]);
    },
  );

  it('are found, 99 of 100 at least', () => {
    process.stdout.write(
      `planted-defects: ${DEFECT_KINDS.length} kinds, ${found.of} of ${found.all} found\n`,
    );
    expect(found.all).toBe(DEFECT_KINDS.length * VARIANTS);
    expect(found.of / found.all).toBeGreaterThanOrEqual(0.99);
  });
});
