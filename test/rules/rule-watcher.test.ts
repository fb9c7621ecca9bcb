// Real files, real git and the operating system's own reports; only where a test is about missed or refused reports
// does the test stand in for the system.
import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { fingerprintFolder, readRuleFolder } from '../../src/rules/rule-files.js';
import { type FolderEvents, RuleWatcher, type RuleWatcherOptions } from '../../src/rules/rule-watcher.js';
import { folderWith, put, temporaryFolder } from '../support/folder.js';
import { TestLog } from '../support/log.js';

const QUIET_MS = 80;
const NEVER = 3_600_000;

async function until(condition: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A watcher that keeps what was in the folder each time it settled. Only reports count, unless polls are asked for. */
class Watching {
  static readonly all: Watching[] = [];
  readonly seen: Record<string, string>[] = [];
  readonly log = new TestLog();
  readonly watcher: RuleWatcher;
  /** What `settled` does besides. */
  also: () => Promise<void> = () => Promise.resolve();
  atOnce = 0;
  mostAtOnce = 0;

  constructor(
    readonly folder: string,
    options: Partial<RuleWatcherOptions> = {},
  ) {
    this.watcher = new RuleWatcher(folder, {
      log: this.log,
      pollMs: NEVER,
      quietMs: QUIET_MS,
      settled: async () => {
        this.atOnce += 1;
        this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
        try {
          const { files } = await readRuleFolder(folder);
          this.seen.push(Object.fromEntries(files));
          await this.also();
        } finally {
          this.atOnce -= 1;
        }
      },
      ...options,
    });
    Watching.all.push(this);
  }

  static async of(folder: string, options: Partial<RuleWatcherOptions> = {}): Promise<Watching> {
    const watching = new Watching(folder, options);
    await watching.watcher.start();
    return watching;
  }

  async runs(count: number): Promise<void> {
    await until(() => this.seen.length >= count);
  }

  /** Exactly so many runs, and the last saw these files. */
  async expectRuns(count: number, files: Record<string, string>): Promise<void> {
    await this.runs(count);
    await quietPasses();
    expect(this.seen).toHaveLength(count);
    expect(this.seen.at(-1)).toEqual(files);
  }
}

/** Resolves when two changes made one after the other, in another folder, were settled: so would have been any before. */
async function quietPasses(): Promise<void> {
  const other = await Watching.of(folderWith({ 'x.rule.json': '0' }), { quietMs: QUIET_MS * 1.5 });
  for (const round of [1, 2]) {
    writeFileSync(join(other.folder, 'x.rule.json'), `${round}`);
    await other.runs(round);
  }
  await other.watcher.stop();
}

const noReports: FolderEvents = () => Promise.resolve({ close: () => Promise.resolve() });

afterEach(async () => {
  await Promise.all(Watching.all.splice(0).map(({ watcher }) => watcher.stop()));
});

describe('a change of the rule files', () => {
  it('is told once, when a file that is emptied and then written is whole', async () => {
    const folder = folderWith({ 'a.rule.json': 'old' });
    const hasty = await Watching.of(folder, { quietMs: 10 });
    const watching = await Watching.of(folder, { quietMs: 1000 });
    writeFileSync(join(folder, 'a.rule.json'), '');
    await hasty.runs(1);
    appendFileSync(join(folder, 'a.rule.json'), 'new');
    await watching.expectRuns(1, { 'a.rule.json': 'new' });
    expect(hasty.seen[0]).toEqual({ 'a.rule.json': '' });
  });

  it('is a rename over a file, and the write after it', async () => {
    const folder = folderWith({ 'a.rule.json': 'old' });
    const watching = await Watching.of(folder);
    writeFileSync(join(folder, '.a.rule.json.tmp'), 'new');
    renameSync(join(folder, '.a.rule.json.tmp'), join(folder, 'a.rule.json'));
    await watching.expectRuns(1, { 'a.rule.json': 'new' });
    writeFileSync(join(folder, 'a.rule.json'), 'newer');
    await watching.expectRuns(2, { 'a.rule.json': 'newer' });
  });

  it("is vim's way to save, told once", async () => {
    const folder = folderWith({ 'a.rule.json': 'old' });
    const watching = await Watching.of(folder);
    const file = join(folder, 'a.rule.json');
    writeFileSync(join(folder, '4913'), '');
    unlinkSync(join(folder, '4913'));
    renameSync(file, `${file}~`);
    writeFileSync(file, 'new');
    unlinkSync(`${file}~`);
    await watching.expectRuns(1, { 'a.rule.json': 'new' });
  });

  it('is not what editors leave beside a file, nor a file that says what it said', async () => {
    const folder = folderWith({ 'a.rule.json': 'old' });
    const watching = await Watching.of(folder, { pollMs: 20 });
    put(folder, {
      '.a.rule.json.swp': 'x',
      'a.rule.json~': 'x',
      '#a.rule.json#': 'x',
      '4913': '',
      'notes/a.md': '',
    });
    writeFileSync(join(folder, 'a.rule.json'), 'old');
    utimesSync(join(folder, 'a.rule.json'), 1, 1);
    await quietPasses();
    expect(watching.seen).toEqual([]);
    writeFileSync(join(folder, 'a.rule.json'), 'new');
    await watching.expectRuns(1, { 'a.rule.json': 'new' });
  });

  it('is a file or a folder that is added, moved in, moved out or deleted', async () => {
    const folder = folderWith({ 'a.rule.json': 'a' });
    const aside = join(dirname(folder), 'aside');
    put(aside, { 'deep/b.rule.json': 'b' });
    const watching = await Watching.of(folder);
    renameSync(aside, join(folder, 'topic'));
    await watching.expectRuns(1, { 'a.rule.json': 'a', 'topic/deep/b.rule.json': 'b' });
    writeFileSync(join(folder, 'topic/deep/b.rule.json'), 'B');
    await watching.expectRuns(2, { 'a.rule.json': 'a', 'topic/deep/b.rule.json': 'B' });
    renameSync(join(folder, 'topic'), aside);
    await watching.expectRuns(3, { 'a.rule.json': 'a' });
    unlinkSync(join(folder, 'a.rule.json'));
    await watching.expectRuns(4, {});
    put(folder, { 'new/c.rule.json': 'c' });
    await watching.expectRuns(5, { 'new/c.rule.json': 'c' });
  });

  it('is told once for a hundred files', async () => {
    const folder = folderWith({});
    const watching = await Watching.of(folder);
    const files = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`${i}.rule.json`, `${i}`]));
    await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));
    await watching.expectRuns(1, files);
  });

  it('that does not end is told all the same', async () => {
    const folder = folderWith({ 'a.rule.json': '0' });
    const watching = await Watching.of(folder, { quietMs: 500, longestMs: 1500 });
    let written = 0;
    const writing = setInterval(() => {
      writeFileSync(join(folder, 'a.rule.json'), `${(written += 1)}`);
    }, 50);
    const begun = performance.now();
    await watching.runs(1).finally(() => {
      clearInterval(writing);
    });
    expect(performance.now() - begun).toBeGreaterThan(1400);
    await until(() => watching.seen.at(-1)?.['a.rule.json'] === `${written}`);
  });

  it('during a run causes exactly one more after it', async () => {
    const folder = folderWith({ 'a.rule.json': '0' });
    const watching = await Watching.of(folder);
    const gate = Promise.withResolvers<undefined>();
    watching.also = () => gate.promise;
    writeFileSync(join(folder, 'a.rule.json'), '1');
    await watching.runs(1);
    for (const text of ['2', '3']) {
      writeFileSync(join(folder, 'a.rule.json'), text);
      await quietPasses();
    }
    expect(watching.seen).toEqual([{ 'a.rule.json': '1' }]);
    gate.resolve(undefined);
    await watching.expectRuns(2, { 'a.rule.json': '3' });
    expect(watching.mostAtOnce).toBe(1);
  });

  it('that cannot be taken is logged and tried again', async () => {
    const folder = folderWith({ 'a.rule.json': '0' });
    const watching = await Watching.of(folder, { pollMs: 20 });
    watching.also = () =>
      watching.seen.length < 3 ? Promise.reject(new Error('no database')) : Promise.resolve();
    writeFileSync(join(folder, 'a.rule.json'), '1');
    await watching.expectRuns(3, { 'a.rule.json': '1' });
    const failed = { level: 'error', fields: { event: 'rules.watch-failed', folder, error: 'no database' } };
    expect(watching.log.lines).toEqual([expect.objectContaining(failed), expect.objectContaining(failed)]);
  });

  it('back to what was there is told too when the change could not be taken', async () => {
    const folder = folderWith({ 'a.rule.json': '0' });
    const watching = await Watching.of(folder);
    watching.also = () => Promise.reject(new Error('no database'));
    writeFileSync(join(folder, 'a.rule.json'), '1');
    await until(() => watching.log.lines.length === 1);
    writeFileSync(join(folder, 'a.rule.json'), '0');
    await watching.expectRuns(2, { 'a.rule.json': '0' });
  });

  it('between the last read and the start is one', async () => {
    const folder = folderWith({ 'a.rule.json': '0' });
    const { fingerprint } = await readRuleFolder(folder);
    const unchanged = new Watching(folder);
    await unchanged.watcher.start(fingerprint);
    await quietPasses();
    expect(unchanged.seen).toEqual([]);
    writeFileSync(join(folder, 'a.rule.json'), '1');
    const watching = new Watching(folder);
    await watching.watcher.start(fingerprint);
    await watching.expectRuns(1, { 'a.rule.json': '1' });
  });
});

describe('the rules folder', () => {
  it('may be made only later, with the folders it lies in', async () => {
    const folder = join(temporaryFolder('later'), 'a/b/rules');
    const watching = await Watching.of(folder);
    put(folder, { 'a.rule.json': 'a' });
    await watching.expectRuns(1, { 'a.rule.json': 'a' });
    writeFileSync(join(folder, 'a.rule.json'), 'A');
    await watching.expectRuns(2, { 'a.rule.json': 'A' });
  });

  it('may be replaced by another, and removed and made again', async () => {
    const folder = folderWith({ 'a.rule.json': 'a' });
    const watching = await Watching.of(folder);
    const next = join(dirname(folder), 'next');
    put(next, { 'b.rule.json': 'b' });
    renameSync(folder, `${folder}.old`);
    renameSync(next, folder);
    await watching.expectRuns(1, { 'b.rule.json': 'b' });
    writeFileSync(join(folder, 'b.rule.json'), 'B');
    await watching.expectRuns(2, { 'b.rule.json': 'B' });
    rmSync(folder, { recursive: true });
    await watching.expectRuns(3, {});
    put(folder, { 'c.rule.json': 'c' });
    await watching.expectRuns(4, { 'c.rule.json': 'c' });
  });

  it('may be a ConfigMap, whose files are swapped at once', async () => {
    const folder = folderWith({ '..1/a.rule.json': 'a', '..1/catalogue/x.event.json': 'x' });
    symlinkSync('..1', join(folder, '..data'));
    symlinkSync('..data/a.rule.json', join(folder, 'a.rule.json'));
    symlinkSync('..data/catalogue', join(folder, 'catalogue'));
    const watching = await Watching.of(folder);
    put(folder, { '..2/a.rule.json': 'A', '..2/catalogue/x.event.json': 'X' });
    symlinkSync('..2', join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    rmSync(join(folder, '..1'), { recursive: true });
    await watching.expectRuns(1, { 'a.rule.json': 'A', 'catalogue/x.event.json': 'X' });
  });

  it('may be reached by a link that is turned to another folder', async () => {
    const base = realpathSync(temporaryFolder('linked'));
    put(base, { 'one/rules/a.rule.json': 'a', 'two/rules/a.rule.json': 'A' });
    symlinkSync('one', join(base, 'current'));
    const watched = new Set<string>();
    const events: FolderEvents = (folder) => {
      watched.add(folder);
      return Promise.resolve({ close: () => Promise.resolve(void watched.delete(folder)) });
    };
    const watching = await Watching.of(join(base, 'current/rules'), { pollMs: 20, events });
    expect([...watched]).toEqual([join(base, 'one/rules')]);
    symlinkSync('two', join(base, 'next'));
    renameSync(join(base, 'next'), join(base, 'current'));
    await watching.expectRuns(1, { 'a.rule.json': 'A' });
    expect([...watched]).toEqual([join(base, 'two/rules')]);
  });
});

describe('git', () => {
  const git = (folder: string, ...args: string[]): string =>
    execFileSync(
      'git',
      ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'commit.gpgsign=false', ...args],
      {
        cwd: folder,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
  const commit = (folder: string, files: Record<string, string>): void => {
    put(folder, files);
    git(folder, 'add', '.');
    git(folder, 'commit', '-qm', 'rules');
  };
  /** Two branches: `main` with `old` and `next` with `new` in both files. */
  const repository = (): string => {
    const folder = realpathSync(temporaryFolder('repository'));
    git(folder, 'init', '-qb', 'main');
    commit(folder, { 'rules/a.rule.json': 'old', 'rules/b.rule.json': 'old' });
    git(folder, 'checkout', '-qb', 'next');
    commit(folder, { 'rules/a.rule.json': 'new', 'rules/b.rule.json': 'new' });
    git(folder, 'checkout', '-q', 'main');
    return folder;
  };
  const NEW = { 'a.rule.json': 'new', 'b.rule.json': 'new' };

  it('that checks out another branch is told once', async () => {
    const folder = repository();
    const watching = await Watching.of(join(folder, 'rules'));
    git(folder, 'checkout', '-q', 'next');
    await watching.expectRuns(1, NEW);
  });

  it('that has checked out only half of the files is waited for', async () => {
    const folder = repository();
    const [half, goOn] = [join(folder, '.git/half'), join(folder, '.git/go-on')];
    const filter = `if [ "$1" = rules/b.rule.json ]; then touch '${half}'; while [ ! -e '${goOn}' ]; do sleep 0.02; done; fi; cat`;
    git(folder, 'config', 'filter.slow.smudge', `sh -c '${filter.replaceAll("'", `'\\''`)}' - %f`);
    writeFileSync(join(folder, '.git/info/attributes'), '*.json filter=slow\n');
    const watching = await Watching.of(join(folder, 'rules'), { longestMs: QUIET_MS });
    const checkout = spawn('git', ['checkout', '-q', 'next'], { cwd: folder, stdio: 'ignore' });
    const ended = new Promise((resolve) => checkout.once('exit', resolve));
    await until(() => existsSync(half));
    expect(readFileSync(join(folder, 'rules/a.rule.json'), 'utf8')).toBe('new');
    expect(existsSync(join(folder, '.git/index.lock'))).toBe(true);
    await quietPasses();
    expect(watching.seen).toEqual([]);
    writeFileSync(goOn, '');
    expect(await ended).toBe(0);
    await watching.expectRuns(1, NEW);
  });

  it('has the lock of a worktree elsewhere', async () => {
    const folder = repository();
    const worktree = join(temporaryFolder('worktree'), 'copy');
    git(folder, 'worktree', 'add', '-q', worktree, 'next');
    const watching = await Watching.of(join(worktree, 'rules'));
    const lock = join(folder, '.git/worktrees/copy/index.lock');
    expect(existsSync(dirname(lock))).toBe(true);
    writeFileSync(lock, '');
    writeFileSync(join(worktree, 'rules/a.rule.json'), 'A');
    await quietPasses();
    expect(watching.seen).toEqual([]);
    unlinkSync(lock);
    await watching.expectRuns(1, { ...NEW, 'a.rule.json': 'A' });

    writeFileSync(join(folder, '.git/index.lock'), '');
    writeFileSync(join(worktree, 'rules/a.rule.json'), 'B');
    await watching.expectRuns(2, { ...NEW, 'a.rule.json': 'B' });
  });

  it('that died and left its lock is named once and not waited for', async () => {
    const folder = repository();
    const lock = join(folder, '.git/index.lock');
    writeFileSync(lock, '');
    const old = Date.now() / 1000 - 61;
    utimesSync(lock, old, old);
    const watching = await Watching.of(join(folder, 'rules'));
    for (const round of [1, 2]) {
      writeFileSync(join(folder, 'rules/a.rule.json'), `${round}`);
      await watching.expectRuns(round, { 'a.rule.json': `${round}`, 'b.rule.json': 'old' });
    }
    expect(watching.log.lines).toEqual([
      expect.objectContaining({ level: 'warn', fields: { event: 'rules.git-lock-stale', lock } }),
    ]);
  });
});

describe('a change that the system does not report', () => {
  it('is found by the next poll', async () => {
    const folder = folderWith({ 'a.rule.json': 'old' });
    const watching = await Watching.of(folder, { pollMs: 300, events: noReports });
    writeFileSync(join(folder, 'a.rule.json'), 'new');
    // Before the twelfth poll, which would find it by another way.
    await until(() => watching.seen.length === 1, 2500);
    await watching.expectRuns(1, { 'a.rule.json': 'new' });
    unlinkSync(join(folder, 'a.rule.json'));
    await watching.expectRuns(2, {});
  });

  it('is told when a poll and a look after the quiet see the same', async () => {
    const folder = folderWith({ 'a.rule.json': '0' });
    const watching = await Watching.of(folder, { pollMs: 20, quietMs: 400, events: noReports });
    let written = 0;
    const writing = setInterval(() => {
      writeFileSync(join(folder, 'a.rule.json'), `${(written += 1)}`);
    }, 50);
    await until(() => written === 20).finally(() => {
      clearInterval(writing);
    });
    await watching.expectRuns(1, { 'a.rule.json': '20' });
  });

  it('and that neither time nor size betrays is found by what the files hold', async () => {
    const folder = folderWith({ 'a.rule.json': 'old' });
    const file = join(folder, 'a.rule.json');
    utimesSync(file, 1_000_000, 1_000_000);
    const watching = await Watching.of(folder, { pollMs: 20, events: noReports });
    const before = await fingerprintFolder(folder);
    const { ino } = statSync(file);
    // Set back within one turn, so that no poll sees the time between.
    writeFileSync(file, 'new');
    utimesSync(file, 1_000_000, 1_000_000);
    expect(statSync(file).ino).toBe(ino);
    expect(await fingerprintFolder(folder)).toBe(before);
    await watching.expectRuns(1, { 'a.rule.json': 'new' });
  });

  it('because there are too many watches is found by looking every second, and the log says what to do', async () => {
    const folder = folderWith({ 'a.rule.json': 'old' });
    const watching = await Watching.of(folder, {
      events: (_, on) => {
        on.failed(Object.assign(new Error('ENOSPC: no more watches'), { code: 'ENOSPC' }));
        on.failed(new Error('another'));
        return Promise.resolve({ close: () => Promise.resolve() });
      },
    });
    writeFileSync(join(folder, 'a.rule.json'), 'new');
    await watching.expectRuns(1, { 'a.rule.json': 'new' });
    expect(watching.log.lines).toEqual([
      {
        level: 'warn',
        fields: { event: 'rules.watch-degraded', folder, error: 'ENOSPC: no more watches' },
        message: expect.stringContaining('fs.inotify.max_user_watches'),
      },
    ]);
  });
});

describe('the end', () => {
  it('waits for the run under way and leaves nothing open', async () => {
    const open = (): string[] =>
      process.getActiveResourcesInfo().filter((kind) => kind === 'FSEventWrap' || kind === 'Timeout');
    const before = open().length;
    const folder = folderWith({ 'a.rule.json': 'old', 'deep/b.rule.json': 'b' });
    const watching = await Watching.of(folder, { pollMs: 1000 });
    expect(open().length).toBeGreaterThan(before);
    const gate = Promise.withResolvers<undefined>();
    watching.also = () => gate.promise;
    writeFileSync(join(folder, 'a.rule.json'), 'new');
    await watching.runs(1);
    let ended = false;
    const stopping = watching.watcher.stop().then(() => {
      ended = true;
    });
    await quietPasses();
    expect(ended).toBe(false);
    gate.resolve(undefined);
    await stopping;
    expect(watching.atOnce).toBe(0);
    writeFileSync(join(folder, 'a.rule.json'), 'newer');
    await quietPasses();
    expect(watching.seen).toHaveLength(1);
    await until(() => open().length <= before);
  });

  it('may come before the beginning has', async () => {
    const watching = new Watching(folderWith({ 'a.rule.json': 'old' }));
    const starting = watching.watcher.start();
    await watching.watcher.stop();
    await starting;
    writeFileSync(join(watching.folder, 'a.rule.json'), 'new');
    await quietPasses();
    expect(watching.seen).toEqual([]);
  });
});
