import { lstat, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { watch } from 'chokidar';
import { type Log, messageOf } from '../config/log.js';
import { fingerprintFolder, type RuleFolder, RuleFolderReader } from './rule-files.js';

/** Every twelfth poll reads the files, for file systems whose times and sizes cannot be trusted. */
const POLLS_PER_CONTENT_POLL = 12;
/** How often to look when the operating system does not report changes. */
const DEGRADED_POLL_MS = 1000;
/** A lock of git that is older was left behind by a git that died. */
const STALE_LOCK_MS = 60_000;
/** How long a start waits for the operating system's watches; the polls do without. */
const READY_MS = 10_000;

export interface RuleWatcherOptions {
  /** Called with the files when they have changed and are quiet. Never called again before it has ended. */
  readonly settled: (folder: RuleFolder) => Promise<void>;
  /** Reads the folder; shared with whoever reads it otherwise, so that nothing is read twice. */
  readonly reader?: RuleFolderReader;
  readonly log: Log;
  /** Milliseconds between two looks at the folder, in case a report was missed. */
  readonly pollMs?: number;
  /** Milliseconds without a change after which the files are taken to be complete. */
  readonly quietMs?: number;
  /** Milliseconds from the first change after which they are taken even though changes go on. */
  readonly longestMs?: number;
  /** Who reports changes; the operating system unless a test says otherwise. */
  readonly events?: FolderEvents;
}

/** Reports changes below a folder, until it is closed. Resolves when it has begun. */
export type FolderEvents = (
  folder: string,
  on: { readonly changed: () => void; readonly failed: (error: unknown) => void },
) => Promise<{ close(): Promise<void> }>;

/** A change that `settled` has not been told of. Times are of the monotonic clock, in milliseconds. */
interface Change {
  readonly first: number;
  last: number;
  /** What a poll saw; null: the change was reported, and so is its end. */
  stamps: string | null;
}

/**
 * Sees that the files of a rules folder changed, and says so once they are quiet: not in the middle of a save, of a
 * copy, or of what git does. The operating system's reports are the fast way; a poll is the net for those that are
 * missed. A change after which the files hold what they held before is none. Nothing is said of the files that are
 * there at the start.
 */
export class RuleWatcher {
  private starting: Promise<void> | null = null;
  private running: Promise<void> | null = null;
  private stopped = false;
  private change: Change | null = null;
  /** The state of the folder that `settled` dealt with; null: unknown, or it failed. */
  private stamps: string | null = null;
  private contents: string | null = null;
  private source: { close(): Promise<void> } | null = null;
  private watched = '';
  private degraded = false;
  private staleLock = '';
  private polls = 0;
  private nextPoll = 0;
  private pollMs: number;
  private readonly reader: RuleFolderReader;
  private readonly quietMs: number;
  private readonly longestMs: number;
  private wake: () => void = () => undefined;

  constructor(
    private readonly folder: string,
    private readonly options: RuleWatcherOptions,
  ) {
    this.reader = options.reader ?? new RuleFolderReader(folder);
    this.pollMs = options.pollMs ?? 5000;
    this.quietMs = options.quietMs ?? 300;
    this.longestMs = options.longestMs ?? 10_000;
  }

  /**
   * Resolves when changes are seen. `known` is the fingerprint of the folder as it was read last (`RuleFolder`): if
   * the folder differs from it by now, that is a change too.
   */
  start(known?: string): Promise<void> {
    this.starting ??= this.begin(known);
    return this.starting;
  }

  /** Resolves when a `settled` under way has ended and nothing is watched any more. A watcher starts only once. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.starting;
    this.wake();
    await this.running;
    await this.source?.close();
    this.source = null;
  }

  private async begin(known: string | undefined): Promise<void> {
    const { fingerprint, contents, stable } = await this.reader.read();
    this.stamps = known ?? fingerprint;
    // If the contents may be newer than what the caller read, they are no measure of what is a change.
    if (stable && this.stamps === fingerprint) this.contents = contents;
    // What changed since then, until the watches stood.
    await this.poll();
    this.running = this.run();
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      const { change } = this;
      const due = change
        ? Math.min(change.last + this.quietMs, change.first + this.longestMs)
        : this.nextPoll;
      const wait = due - performance.now();
      try {
        if (wait > 0) await this.sleep(wait);
        else if (change) await this.settle(change);
        else await this.poll();
      } catch (error) {
        this.stamps = this.contents = null;
        this.nextPoll = performance.now() + this.pollMs;
        this.options.log.error(
          { event: 'rules.watch-failed', folder: this.folder, error: messageOf(error) },
          `the changed rule files could not be taken; trying again in ${this.pollMs} ms`,
        );
      }
    }
  }

  private async poll(): Promise<void> {
    this.polls += 1;
    await this.watch();
    const stamps = await fingerprintFolder(this.folder);
    if (stamps !== this.stamps) this.notice(stamps);
    else if (this.polls % POLLS_PER_CONTENT_POLL === 0) {
      if ((await this.reader.read({ fresh: true })).contents !== this.contents) this.notice(stamps);
    }
    this.nextPoll = performance.now() + this.pollMs;
  }

  private notice(stamps: string | null): void {
    const now = performance.now();
    if (this.change) {
      this.change.last = now;
      return;
    }
    this.change = { first: now, last: now, stamps };
    this.wake();
  }

  private async settle(change: Change): Promise<void> {
    if (await this.isGitBusy()) return;
    const { last } = change;
    const folder = await this.reader.read();
    const { fingerprint: stamps, contents } = folder;
    if (!folder.stable || (change.stamps !== null && change.stamps !== stamps)) {
      if (change.stamps !== null) change.stamps = stamps;
      change.last = performance.now();
    }
    const isQuiet = change.last === last;
    if (!isQuiet && performance.now() < change.first + this.longestMs) return;
    // Whatever is reported from here on may come too late for this run, and causes another one.
    this.change = null;
    if (contents !== this.contents) {
      if ((await this.isGitBusy()) || this.isStopped()) return;
      await this.options.settled(folder);
    }
    this.stamps = stamps;
    this.contents = contents;
  }

  /** If git is at work here, waits anew for quiet: git may not have changed the first file yet, or all of them. */
  private async isGitBusy(): Promise<boolean> {
    const lock = await findGitLock(this.folder);
    const stats = lock === null ? null : await lstat(lock).catch(() => null);
    if (lock === null || stats === null) return false;
    // Compared with the time of day, as that is what file systems note. A lock from the future (a server's clock) is
    // as little use as an old one.
    if (Math.abs(Date.now() - stats.mtimeMs) > STALE_LOCK_MS) {
      const seen = `${lock} ${stats.mtimeMs}`;
      if (this.staleLock !== seen)
        this.options.log.warn(
          { event: 'rules.git-lock-stale', lock },
          `git's lock ${lock} is older than a minute and is ignored; if no git runs there, remove it`,
        );
      this.staleLock = seen;
      return false;
    }
    const now = performance.now();
    this.change = { first: now, last: now, stamps: null };
    return true;
  }

  /** Watches the folder where it really lies; when a link on the way leads elsewhere by now, there. */
  private async watch(): Promise<void> {
    const real = await realpath(this.folder).catch(() => resolve(this.folder));
    if (real === this.watched) return;
    await this.source?.close();
    this.source = null;
    this.watched = real;
    const events = this.options.events ?? reportsOfSystem;
    const on = {
      changed: () => {
        this.notice(null);
      },
      failed: (error: unknown) => {
        this.degrade(error);
      },
    };
    try {
      this.source = await events(real, on);
    } catch (error) {
      this.degrade(error);
    }
  }

  private degrade(error: unknown): void {
    if (this.degraded) return;
    this.degraded = true;
    this.pollMs = Math.min(this.pollMs, DEGRADED_POLL_MS);
    this.nextPoll = 0;
    this.wake();
    this.options.log.warn(
      { event: 'rules.watch-degraded', folder: this.folder, error: messageOf(error) },
      `the system does not report changes of the rule files; looking every ${this.pollMs} ms instead. ${mendOf(error)}`,
    );
  }

  private async sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wake = () => undefined;
  }

  // A method, so that the compiler does not take the field for unchanged across an await.
  private isStopped(): boolean {
    return this.stopped;
  }
}

/** The operating system's reports, by way of chokidar: `fs.watch` alone loses files that are renamed over. */
const reportsOfSystem: FolderEvents = async (folder, on) => {
  const watcher = watch(folder, {
    ignoreInitial: true,
    // Links are read where they lead, and lead only to what is watched anyway; one to `/` must not be walked.
    followSymlinks: false,
    ignorePermissionErrors: true,
    atomic: false,
    ignored: (path, stats) => {
      const inside = relative(folder, path);
      if (inside === '') return false;
      if (inside === '..' || inside.startsWith(`..${sep}`)) return true;
      const name = basename(path);
      // `..data` is the link by which Kubernetes swaps all files of a ConfigMap at once.
      if (name.startsWith('.')) return name !== '..data';
      return stats?.isFile() === true && !name.endsWith('.json');
    },
  });
  watcher.on('all', on.changed);
  let timer: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    timer = setTimeout(resolve, READY_MS);
    watcher.on('ready', resolve);
    watcher.on('error', (error) => {
      on.failed(error);
      resolve();
    });
  });
  clearTimeout(timer);
  return watcher;
};

function mendOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  if (code === 'ENOSPC')
    return 'Raise fs.inotify.max_user_watches: sysctl -w fs.inotify.max_user_watches=524288';
  if (code === 'EMFILE')
    return 'Raise fs.inotify.max_user_instances (sysctl) or the limit of open files (ulimit -n).';
  return 'Restart when the cause is gone.';
}

/** Where git would put its lock: beside the index of the repository or worktree that holds the folder, if one does. */
async function findGitLock(folder: string): Promise<string | null> {
  let path = await realpath(folder).catch(() => resolve(folder));
  for (;;) {
    const found = join(path, '.git');
    const stats = await stat(found).catch(() => null);
    if (stats?.isDirectory()) return join(found, 'index.lock');
    if (stats?.isFile()) {
      const text = await readFile(found, 'utf8').catch(() => '');
      const [, elsewhere] = /^gitdir: (.+)$/m.exec(text) ?? [];
      return elsewhere === undefined ? null : join(resolve(path, elsewhere), 'index.lock');
    }
    const parent = dirname(path);
    if (parent === path) return null;
    path = parent;
  }
}
