// What docs/rule-tests.md promises: its examples, its tables of keys, and the shell lines of both CI examples, which run.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { runCases } from '../../src/cli/rules-test-run.js';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { caseDefinitions } from '../../src/rules/case-schema.js';
import { readRuleFolder } from '../../src/rules/rule-files.js';
import { temporaryFolder } from '../support/folder.js';

const text = readFileSync('docs/rule-tests.md', 'utf8');
const blocks = (language: string): string[] =>
  [...text.matchAll(new RegExp(String.raw`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, block = '']) => block,
  );

interface Workflow {
  readonly jobs: Readonly<Record<string, { readonly steps: readonly { readonly run?: string }[] }>>;
}
interface Pipeline {
  readonly rules: { readonly script: readonly string[]; readonly coverage: string };
}

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly folder: string;
}

/** A checkout with the example rules, in which `npx aftersign` is the built command line. */
function checkout(spoil: (rules: string) => void = () => undefined): string {
  const folder = temporaryFolder('ci');
  cpSync('rules', join(folder, 'rules'), { recursive: true });
  spoil(join(folder, 'rules'));
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const put = (name: string, script: string): void => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  put('npm', '[ "$*" = ci ]');
  put('npx', `[ "$1" = aftersign ] && shift && exec '${process.execPath}' '${resolve('dist/cli.js')}' "$@"`);
  return folder;
}

/** `lines`: each as a step of its own; the first that fails ends it, as on a CI server. */
function shell(folder: string, lines: readonly string[], stopAtFirst: boolean): Ran {
  let stdout = '';
  let code: number | null = 0;
  for (const line of lines) {
    const ended = spawnSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', line], {
      cwd: folder,
      encoding: 'utf8',
      env: {
        PATH: `${join(folder, 'bin')}:${join(process.execPath, '..')}:/usr/bin:/bin`,
        HOME: folder,
        GITHUB_STEP_SUMMARY: join(folder, 'summary.md'),
      },
    });
    stdout += ended.stdout;
    if (ended.status !== 0) code = ended.status;
    if (ended.status !== 0 && stopAtFirst) break;
  }
  return { code, stdout, folder };
}

const [github = '', gitlab = ''] = blocks('yaml');
const onGitHub = (folder: string): Ran => {
  const { jobs } = parse(github) as Workflow;
  // The steps that report run always.
  return shell(folder, jobs['rules']?.steps.flatMap(({ run }) => run ?? []) ?? [], false);
};
const onGitLab = (folder: string): Ran => shell(folder, (parse(gitlab) as Pipeline).rules.script, true);
const fileOf = ({ folder }: Ran, name: string): string => readFileSync(join(folder, name), 'utf8');

/** A rule that never matches, and so fails its cases too. */
function spoil(rules: string): void {
  const file = join(rules, 'corehr', 'renewal-done.rule.json');
  const leaf = '{ "fact": "status", "operator": "equal", "value": 3 }';
  writeFileSync(file, readFileSync(file, 'utf8').replace(leaf, `${leaf},\n      ${leaf.replace('3', '2')}`));
}

describe('the CI examples of docs/rule-tests.md', () => {
  it('GitHub: pass with sound rules, and leave what is uploaded', () => {
    const ran = onGitHub(checkout());
    expect([ran.code, ran.stdout]).toEqual([0, expect.stringContaining('coverage 覆盖率: 100 %')]);
    expect(JSON.parse(fileOf(ran, 'rules.sarif'))).toMatchObject({ version: '2.1.0' });
    expect(fileOf(ran, 'junit.xml')).toContain('<testsuite ');
    expect(fileOf(ran, 'summary.md')).toMatch(
      /^```\n[\s\S]*corehr\/renewal-done\.cases\.json[\s\S]*\n```\n$/,
    );
  }, 120_000);

  it('GitHub: fail with a rule that is wrong, and say where', () => {
    const ran = onGitHub(checkout(spoil));
    expect(ran.code).toBe(1);
    const sarif = JSON.parse(fileOf(ran, 'rules.sarif')) as {
      runs: {
        results: {
          ruleId: string;
          locations: { physicalLocation: { artifactLocation: { uri: string } } }[];
        }[];
      }[];
    };
    const never = sarif.runs[0]?.results.find(({ ruleId }) => ruleId === 'CONDITIONS_NEVER');
    expect(never?.locations[0]?.physicalLocation.artifactLocation.uri).toBe(
      'rules/corehr/renewal-done.rule.json',
    );
    expect(fileOf(ran, 'summary.md')).toContain('✗');
    expect(fileOf(ran, 'junit.xml')).toContain('<failure');
  }, 120_000);

  it('GitLab: pass with sound rules, with the coverage where it is looked for', () => {
    const ran = onGitLab(checkout());
    expect(ran.code).toBe(0);
    const { coverage } = (parse(gitlab) as Pipeline).rules;
    expect(new RegExp(coverage.slice(1, -1)).exec(ran.stdout)?.[1]).toBe('100');
    expect(fileOf(ran, 'junit.xml')).toContain('<testsuite ');
  }, 120_000);

  it('GitLab: fail with a rule that is wrong, and say where', () => {
    const ran = onGitLab(checkout(spoil));
    expect(ran.code).toBe(1);
    expect(JSON.parse(fileOf(ran, 'codequality.json'))).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          check_name: 'CONDITIONS_NEVER',
          severity: 'major',
          location: {
            path: 'rules/corehr/renewal-done.rule.json',
            lines: { begin: expect.any(Number) as unknown },
          },
        }),
      ]),
    );
    expect(fileOf(ran, 'junit.xml')).toContain('<failure');
  }, 120_000);
});

describe('docs/rule-tests.md', () => {
  it('has an example that runs on the example rules', async () => {
    const [example = ''] = blocks('json');
    const { files } = await readRuleFolder('rules');
    const own = new Map([...files].filter(([name]) => !name.endsWith('.cases.json')));
    own.set('corehr/renewal-done.cases.json', example);
    const options = { coverage: false, mutate: false, timezone: 'Asia/Shanghai', calendar: null };
    const run = await runCases(own, [], loadBuiltInCatalogue(), options);
    if (!('results' in run)) throw new Error(JSON.stringify(run));
    expect(run.results.map(({ ok, failures }) => [ok, failures])).toEqual([
      [true, []],
      [true, []],
    ]);
  });

  it('names every key that a file of cases may have', () => {
    const definitions = caseDefinitions(loadBuiltInCatalogue(), []) as Readonly<
      Record<
        string,
        { readonly properties?: object; readonly anyOf?: readonly { readonly properties?: object }[] }
      >
    >;
    const keys = ['cases', 'case', 'case.step', 'case.delivery', 'case.verdict'].flatMap((name) => {
      const { properties, anyOf = [] } = definitions[name] ?? {};
      return [properties, ...anyOf.map((one) => one.properties)].flatMap((one) => Object.keys(one ?? {}));
    });
    expect(keys.filter((key) => !new RegExp(`[\`"]${key.replace('$', '\\$')}["\`]`).test(text))).toEqual([]);
    expect(keys.length).toBeGreaterThan(25);
  });
});
