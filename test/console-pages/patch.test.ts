import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inLineEndsOf, inPlainLineEnds, patchOf, sizeOf } from '../../console/src/pages/try/patch.js';

// A patch of the try pad is what people carry back into git: git itself says whether it is one.

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'aftersign-patch-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** With no settings of whoever runs it. */
function gitApply(place: string, patch: string, more: readonly string[] = []): void {
  execFileSync('git', ['-c', 'core.autocrlf=false', 'apply', '--whitespace=nowarn', ...more, '-'], {
    cwd: place,
    input: patch,
    env: {
      PATH: process.env['PATH'],
      GIT_CONFIG_NOSYSTEM: '1',
      HOME: place,
      GIT_CEILING_DIRECTORIES: folder,
    },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
}

/** What the file holds after git has applied the patch, in a folder of its own. */
function applied(path: string, before: string | null, patch: string): string {
  const place = mkdtempSync(join(folder, 'one-'));
  const file = join(place, path);
  mkdirSync(dirname(file), { recursive: true });
  if (before !== null) writeFileSync(file, before);
  gitApply(place, patch);
  return readFileSync(file, 'utf8');
}

/** Numbers from 0 to below `most`, the same in each run. */
function dice(seed: number): (most: number) => number {
  let state = seed;
  return (most) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * most);
  };
}

const LINES = [
  '{',
  '}',
  '  "fact": "status",',
  '',
  '  "值": 3',
  '-',
  '+x',
  '\\ No newline',
  '@@ -1 +1 @@',
  'a\rb',
  ' ',
];

/** A text of a few kinds of lines, which makes equal lines likely; its ends are mixed. */
function textBy(roll: (most: number) => number): string {
  const ends = [['\n'], ['\r\n'], ['\n', '\r\n']][roll(3)] ?? ['\n'];
  const lines = Array.from(
    { length: roll(30) },
    () => (LINES[roll(LINES.length)] ?? '') + (ends[roll(ends.length)] ?? ''),
  );
  const text = lines.join('');
  return roll(3) === 0 ? text.replace(/\r?\n$/, '') : text;
}

function editedBy(text: string, roll: (most: number) => number): string {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  for (let n = roll(5); n >= 0; n -= 1) {
    const at = roll(lines.length + 1);
    if (roll(2) === 0) lines.splice(at, roll(4));
    else lines.splice(at, 0, `${LINES[roll(LINES.length)] ?? ''}\n`);
  }
  const next = lines.join('');
  return roll(5) === 0 ? next.replace(/\r?\n$/, '') : next;
}

describe('patchOf', () => {
  test('is taken by git for random edits of random files', () => {
    const roll = dice(20_261_201);
    const edits = Array.from({ length: 300 }, (_one, n) => {
      const before = textBy(roll);
      return { path: `${n}.json`, before, after: n % 3 === 0 ? textBy(roll) : editedBy(before, roll) };
    });
    // One run of git takes them all: each file has a patch of its own.
    const place = mkdtempSync(join(folder, 'many-'));
    for (const { path, before } of edits) writeFileSync(join(place, path), before);
    const patches = edits.map(({ path, before, after }) => patchOf(path, before, after));
    gitApply(place, patches.join(''));
    for (const { path, after } of edits) expect(readFileSync(join(place, path), 'utf8')).toBe(after);
    expect(patches.filter((patch) => patch !== '').length).toBeGreaterThan(250);
    expect(edits.every(({ before, after }, n) => (before === after) === (patches[n] === ''))).toBe(true);
  });

  test.each([
    ['no newline at the end, before', 'a\nb', 'a\nb\n'],
    ['no newline at the end, after', 'a\nb\n', 'a\nb'],
    ['no newline at either end', 'a\nb', 'a\nc'],
    ['the last line added to a file without a newline', 'a', 'a\nb'],
    ['Windows line ends', '{\r\n  "a": 1\r\n}\r\n', '{\r\n  "a": 2\r\n}\r\n'],
    ['line ends alone', 'a\r\nb\r\n', 'a\nb\n'],
    ['a file that was empty', '', 'a\n'],
    ['a file that becomes empty', 'a\nb\n', ''],
    ['a byte order mark', '\ufeff{\n}\n', '\ufeff{ }\n'],
    ['changes far from each other', `x\n${'same\n'.repeat(40)}y\n`, `X\n${'same\n'.repeat(40)}Y\n`],
  ])('%s', (_what, before, after) => {
    expect(applied('a.rule.json', before, patchOf('a.rule.json', before, after))).toBe(after);
  });

  test.each([
    'new.rule.json',
    'deep/er/new.rule.json',
    '人事/续签.rule.json',
    'with blank.json',
    'a"quote.json',
    'tab\there.json',
  ])('makes and changes a file named %j', (path) => {
    for (const text of ['', '{}\n', '{\r\n}']) {
      expect(applied(path, null, patchOf(path, null, text))).toBe(text);
      expect(applied(path, `${text}old\n`, patchOf(path, `${text}old\n`, `${text}new\n`))).toBe(
        `${text}new\n`,
      );
    }
  });

  test('is applied below another folder by --directory', () => {
    const patch = patchOf('corehr/a.rule.json', null, '{}\n');
    const place = mkdtempSync(join(folder, 'root-'));
    gitApply(place, patch, ['--directory=rules']);
    expect(readFileSync(join(place, 'rules/corehr/a.rule.json'), 'utf8')).toBe('{}\n');
  });

  test('does not apply to a file that is another by now', () => {
    const patch = patchOf('a.json', 'a\nb\nc\n', 'a\nB\nc\n');
    expect(() => applied('a.json', 'a\nx\nc\n', patch)).toThrow('patch does not apply');
  });

  test('tells changes near each other together, with three lines around them', () => {
    const before = Array.from({ length: 20 }, (_one, at) => `${at}\n`).join('');
    const after = before.replace('5\n', 'five\n').replace('9\n', '');
    expect(patchOf('a', before, after)).toBe(
      [
        'diff --git a/a b/a',
        '--- a/a',
        '+++ b/a',
        '@@ -3,11 +3,10 @@',
        ' 2',
        ' 3',
        ' 4',
        '-5',
        '+five',
        ' 6',
        ' 7',
        ' 8',
        '-9',
        ' 10',
        ' 11',
        ' 12',
        '',
      ].join('\n'),
    );
    expect(sizeOf(before, after)).toEqual({ added: 1, removed: 2 });
  });

  test('of a file of many thousand lines is one change rather than minutes of work', () => {
    const before = Array.from({ length: 5000 }, (_one, at) => `old ${at}\n`).join('');
    const after = Array.from({ length: 5000 }, (_one, at) => `new ${at}\n`).join('');
    expect(applied('a', before, patchOf('a', before, after))).toBe(after);
  });
});

describe('inLineEndsOf', () => {
  test('gives an edited text the line ends of its file', () => {
    expect(inLineEndsOf('a\r\nb\r\nc', 'a\nB\nx\nc')).toBe('a\r\nB\r\nx\r\nc');
    expect(inLineEndsOf('a\nb\n', 'a\nB\n')).toBe('a\nB\n');
  });

  test('keeps mixed ends where a line stayed', () => {
    expect(inLineEndsOf('a\nb\r\nc\n', 'a\nb\nx\nc\n')).toBe('a\nb\r\nx\nc\n');
  });

  test('gives back any file of which nothing was edited', () => {
    const roll = dice(7);
    for (let n = 0; n < 500; n += 1) {
      const text = textBy(roll);
      expect(inLineEndsOf(text, inPlainLineEnds(text))).toBe(text);
    }
  });

  test('changes nothing but line ends', () => {
    const roll = dice(11);
    for (let n = 0; n < 500; n += 1) {
      const text = textBy(roll);
      const edited = inPlainLineEnds(editedBy(text, roll));
      expect(inPlainLineEnds(inLineEndsOf(text, edited))).toBe(edited);
    }
  });
});
