import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalogue } from '../../src/events/catalogue.js';
import { readCases } from '../../src/rules/cases/case-files.js';
import { CaseRunner, type CaseRunnerOptions } from '../../src/rules/cases/case-runner.js';
import type { Mutant } from '../../src/rules/cases/mutants.js';
import { checkFiles } from '../../src/rules/check/check-files.js';
import { readRuleFolder } from '../../src/rules/rule-files.js';
import { type RuleFiles } from '../../src/rules/rule-compiler.js';
import { buildRuleSet } from '../../src/rules/rule-set.js';
import { folderWith } from './folder.js';

/** A rules folder on disk in which one mutant after the other stands as a file. */
export class MutantsOnDisk {
  readonly folder: string;

  constructor(
    private readonly files: RuleFiles,
    private readonly catalogue: Catalogue,
    private readonly options: CaseRunnerOptions,
  ) {
    this.folder = folderWith(Object.fromEntries(files));
  }

  /** Calls `act` while a mutant stands in the folder. */
  async with<T>({ edit }: Pick<Mutant, 'edit'>, act: () => Promise<T>): Promise<T> {
    const path = join(this.folder, edit.file);
    const original = this.files.get(edit.file) ?? '';
    const mark = original.startsWith('\ufeff') ? 1 : 0;
    const from = edit.offset + mark;
    writeFileSync(path, original.slice(0, from) + edit.text + original.slice(from + edit.length));
    try {
      return await act();
    } finally {
      writeFileSync(path, original);
    }
  }

  /** What the folder as it stands comes to: not sound, or which cases pass. */
  async run(): Promise<'not runnable' | ReadonlySet<string>> {
    const { files, findings } = await readRuleFolder(this.folder);
    const checked = checkFiles(files, this.catalogue);
    if ([...findings, ...checked.findings].some(({ severity }) => severity === 'error'))
      return 'not runnable';
    const ruleSet = await buildRuleSet('on disk', checked, this.catalogue);
    const runner = new CaseRunner(ruleSet, this.options);
    const passed = new Set<string>();
    for (const one of readCases(files).cases) {
      const { ok } = await runner.run(one);
      if (ok) passed.add(`${one.file}: ${one.case.name}`);
    }
    return passed;
  }
}
