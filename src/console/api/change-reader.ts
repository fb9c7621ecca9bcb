import type { Catalogue } from '../../events/catalogue.js';
import type { Change, ChangeMessage, ChangeSource } from './change-source.js';

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

type Furthest = Pick<Change, 'position' | 'at'>;

/** How far the changes are known. */
interface Position {
  /** Keys within the overlap. */
  readonly seen: ReadonlySet<string>;
  /** What is at or before it has been told or counted, whether it was seen or not. */
  readonly through: string;
  /** The furthest change that is known. */
  readonly furthest: Furthest;
  /** There were so many at the last look that only their order was followed. */
  readonly isFlooded: boolean;
}

interface Looked {
  readonly changes: readonly Change[];
  readonly count: number;
  /** What is known after these were told. */
  readonly then: Position;
}

/**
 * Finds what is new in one table, a look at a time. Changes are not in the order of their commits: it looks again at
 * the last seconds each time, and knows what it has told of them. When there are too many for that, it walks on along
 * their order and counts.
 */
export class ChangeReader {
  private at: Position = {
    seen: new Set(),
    through: '',
    furthest: { position: '', at: 0 },
    isFlooded: false,
  };
  private allowance = AT_MOST;

  constructor(
    readonly source: ChangeSource,
    private readonly now: () => number,
  ) {}

  /** From here on: nothing of what is there already is told. */
  async begin(): Promise<void> {
    const furthest = (await this.source.latest()) ?? { position: '', at: this.now() };
    const window = await this.window(furthest);
    const through = window.length > WINDOW ? furthest.position : '';
    this.at = { seen: keysOf(window), through, furthest, isFlooded: false };
  }

  /** @throws what the database throws; the next look then finds the same again */
  async poll(catalogue: Catalogue): Promise<Found> {
    this.allowance = Math.min(AT_MOST, this.allowance + PER_POLL);
    const { changes, count, then } = await this.look();
    const told = changes.slice(-this.allowance);
    const messages = told.length === 0 ? [] : await this.source.messages(told, catalogue);
    this.allowance -= told.length;
    this.at = then;
    return { messages, left: count - told.length };
  }

  private async look(): Promise<Looked> {
    if (this.at.isFlooded) return await this.flood();
    const window = await this.window(this.at.furthest);
    return window.length > WINDOW ? await this.flood() : this.fresh(window);
  }

  private async window({ at }: Furthest): Promise<Change[]> {
    // Whose clock is ahead must not hide what all others write.
    return await this.source.since(Math.min(at, this.now()) - OVERLAP_MS, WINDOW + 1);
  }

  private fresh(window: readonly Change[]): Looked {
    const { seen, through, furthest } = this.at;
    const changes = window.filter(({ key, position }) => !seen.has(key) && position > through);
    const then = { ...this.at, seen: keysOf(window), furthest: further(furthest, window.at(-1)) };
    return { changes, count: changes.length, then };
  }

  private async flood(): Promise<Looked> {
    const { count, last } = await this.source.after(this.at.furthest.position, this.allowance);
    const furthest = further(this.at.furthest, last.at(-1));
    return {
      changes: last,
      count: Math.max(count, last.length),
      then: { seen: new Set(), through: furthest.position, furthest, isFlooded: count > PER_POLL },
    };
  }
}

function keysOf(changes: readonly Change[]): ReadonlySet<string> {
  return new Set(changes.map(({ key }) => key));
}

function further(known: Furthest, change: Change | undefined): Furthest {
  return change && change.position > known.position ? change : known;
}
