import type { Catalogue } from '../../events/catalogue.js';
import type { Change, ChangeMessage, ChangeSource } from './change-sources.js';

/** A row may be committed so much later than its time says, and after rows that are younger. */
const OVERLAP_MS = 3000;
/** More than so many changes within the overlap: they are counted, and only the last are read. */
const WINDOW = 300;
/** Messages for each look, and those that one look may save up from those before it: 100 a second at 500 ms. */
const PER_POLL = 50;
const AT_MOST = 100;

/** What one look has found. */
export interface Found {
  readonly messages: readonly ChangeMessage[];
  /** Changes that nothing more is told of: there were too many. They are older than the messages. */
  readonly left: number;
}

/**
 * Finds what is new in one table, a look at a time. Changes are not in the order of their commits: it looks again at
 * the last seconds each time, and knows what it has told of them. When there are too many for that, it walks on along
 * their order and counts.
 */
export class ChangeReader {
  private seen: ReadonlySet<string> = new Set();
  /** What is at or before it has been told or counted, whether it was seen or not. */
  private through = '';
  /** The furthest change that is known. */
  private furthest: { readonly position: string; readonly at: number } = { position: '', at: 0 };
  private allowance = AT_MOST;

  constructor(
    readonly source: ChangeSource,
    private readonly now: () => number,
  ) {}

  /** From here on: nothing of what is there already is told. */
  async begin(): Promise<void> {
    const latest = await this.source.latest();
    this.furthest = latest ?? { position: '', at: this.now() };
    const window = await this.window();
    this.seen = new Set(window.map(({ key }) => key));
    this.through = window.length > WINDOW ? this.furthest.position : '';
  }

  async poll(catalogue: Catalogue): Promise<Found> {
    this.allowance = Math.min(AT_MOST, this.allowance + PER_POLL);
    const window = await this.window();
    const { changes, count } = window.length > WINDOW ? await this.flood() : this.fresh(window);
    const told = changes.slice(-this.allowance);
    this.allowance -= told.length;
    const messages = told.length === 0 ? [] : await this.source.messages(told, catalogue);
    return { messages, left: count - told.length };
  }

  private async window(): Promise<Change[]> {
    // Whose clock is ahead must not hide what all others write.
    const from = Math.min(this.furthest.at, this.now()) - OVERLAP_MS;
    return await this.source.since(from, WINDOW + 1);
  }

  private fresh(window: readonly Change[]): { changes: readonly Change[]; count: number } {
    const changes = window.filter(({ key, position }) => !this.seen.has(key) && position > this.through);
    this.seen = new Set(window.map(({ key }) => key));
    this.goTo(window.at(-1));
    return { changes, count: changes.length };
  }

  private async flood(): Promise<{ changes: readonly Change[]; count: number }> {
    const { count, last } = await this.source.after(this.furthest.position, this.allowance);
    this.goTo(last.at(-1));
    this.through = this.furthest.position;
    this.seen = new Set();
    return { changes: last, count: Math.max(count, last.length) };
  }

  private goTo(change: Change | undefined): void {
    if (change && change.position > this.furthest.position) this.furthest = change;
  }
}
