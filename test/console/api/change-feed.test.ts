// The feed with readers and listeners that are written by hand.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { ChangeFeed, type Listener, type Wants } from '../../../src/console/api/change-feed.js';
import type { ChangeReader, Found } from '../../../src/console/api/change-reader.js';
import { Catalogue } from '../../../src/events/catalogue.js';
import { TestLog } from '../../support/log.js';

const WANTS: Wants = { topics: ['events', 'verdicts'], personal: true };

class ListedReader {
  readonly source = { topic: 'events' as const };
  begun = 0;
  found: Found = { messages: [], left: 0 };
  broken: Error | null = null;

  begin(): Promise<void> {
    this.begun += 1;
    return Promise.resolve();
  }

  poll(): Promise<Found> {
    if (this.broken) return Promise.reject(this.broken);
    const { found } = this;
    this.found = { messages: [], left: 0 };
    return Promise.resolve(found);
  }

  has(count: number, left = 0, eventType = 'a'): void {
    const one = (at: number) => ({
      eventType,
      rules: null,
      data: { id: at } as never,
      masked: { id: 'masked' } as never,
    });
    this.found = { messages: Array.from({ length: count }, (_, at) => one(at)), left };
  }
}

class Ear implements Listener {
  readonly frames: Buffer[] = [];
  ended = false;

  constructor(readonly wants: Wants = WANTS) {}

  write(frames: Buffer): void {
    this.frames.push(frames);
  }

  mayStay(): Promise<boolean> {
    return Promise.resolve(true);
  }

  end(): void {
    this.ended = true;
  }

  get text(): string {
    return Buffer.concat(this.frames).toString();
  }
}

describe('the feed', () => {
  let reader: ListedReader;
  let log: TestLog;
  let now: number;
  let feed: ChangeFeed;
  beforeEach(() => {
    reader = new ListedReader();
    log = new TestLog();
    now = 1_800_000_000_000;
    feed = new ChangeFeed(
      [reader as unknown as ChangeReader],
      { current: new Catalogue([]) },
      log,
      () => now,
    );
  });
  const lastIdOf = (ear: Ear): string => /id: (\S+)\n(?![\s\S]*id: )/.exec(ear.text)?.[1] ?? '';
  const isRunning = (): boolean => feed['timer'] !== null || feed['heartbeat'] !== null;

  it('looks only while somebody listens', async () => {
    expect([reader.begun, isRunning()]).toEqual([0, false]);
    const [a, b] = [new Ear(), new Ear()];
    await feed.join(a, undefined);
    await feed.join(b, undefined);
    expect([reader.begun, isRunning()]).toEqual([1, true]);
    feed.leave(a);
    expect(isRunning()).toBe(true);
    feed.leave(b);
    expect(isRunning()).toBe(false);
  });

  it('makes each message once for all who want the same', async () => {
    const [a, b, viewer] = [new Ear(), new Ear(), new Ear({ ...WANTS, personal: false })];
    for (const ear of [a, b, viewer]) await feed.join(ear, undefined);
    reader.has(3);
    await feed.poll();
    expect(a.frames.at(-1)).toBe(b.frames.at(-1));
    expect(viewer.frames.at(-1)).not.toBe(a.frames.at(-1));
    expect(viewer.text).toContain('"masked"');
    expect(a.text).not.toContain('"masked"');
    expect(a.frames).toHaveLength(2);
    await feed.stop();
    expect([a.ended, isRunning()]).toEqual([true, false]);
  });

  it('says how many it left out, to those who want the topic', async () => {
    const [ear, other] = [new Ear(), new Ear({ topics: ['deliveries'], personal: true })];
    await feed.join(ear, undefined);
    await feed.join(other, undefined);
    reader.has(1, 41);
    await feed.poll();
    expect(ear.text).toMatch(/event: gap\ndata: \{"topic":"events","count":41\}\n\nid: \S+\nevent: events\n/);
    expect(other.text).not.toContain('gap');
    await feed.stop();
  });

  it('keeps the last 1000 for who comes again', async () => {
    const first = new Ear();
    await feed.join(first, undefined);
    reader.has(1);
    await feed.poll();
    const id = lastIdOf(first);
    for (let at = 0; at < 10; at += 1) {
      reader.has(100);
      await feed.poll();
    }
    const second = new Ear();
    await feed.join(second, id);
    expect(second.text.match(/event: events/g)).toHaveLength(1000);
    expect(second.text).not.toContain('event: reset');
    reader.has(1);
    await feed.poll();
    const third = new Ear();
    await feed.join(third, id);
    expect(third.text).toContain('event: reset');
    await feed.stop();
  });

  it('begins anew after a minute without listeners', async () => {
    const first = new Ear();
    await feed.join(first, undefined);
    const id = lastIdOf(first);
    feed.leave(first);
    now += 59_000;
    const second = new Ear();
    await feed.join(second, id);
    expect([reader.begun, second.text.includes('reset')]).toEqual([1, false]);
    feed.leave(second);
    now += 61_000;
    const third = new Ear();
    await feed.join(third, id);
    expect([reader.begun, third.text.includes('reset')]).toEqual([2, true]);
    await feed.stop();
  });

  it('goes on when the database was away, and says so once in the log', async () => {
    const ear = new Ear();
    await feed.join(ear, undefined);
    reader.broken = new Error('gone');
    await feed.poll();
    await feed.poll();
    expect(log.lines.map(({ fields }) => fields['event'])).toEqual(['stream.not-read']);
    reader.broken = null;
    reader.has(1);
    await feed.poll();
    expect(ear.text).toContain('event: events');
    await feed.stop();
  });
});
