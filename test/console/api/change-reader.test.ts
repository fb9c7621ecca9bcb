// A table that is a list here, written by hand; the clock is virtual.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { ChangeReader } from '../../../src/console/api/change-reader.js';
import type { Change, ChangeMessage, ChangeSource } from '../../../src/console/api/change-source.js';
import { Catalogue } from '../../../src/events/catalogue.js';

const NOW = 1_800_000_000_000;
const catalogue = new Catalogue([]);

class ListedChanges implements ChangeSource {
  readonly topic = 'events';
  readonly rows: Change[] = [];
  reads = 0;
  broken = false;

  add(at: number, key = `${at}-${this.rows.length}`): void {
    this.rows.push({ key, id: key, position: String(at * 1000 + this.rows.length).padStart(20, '0'), at });
  }

  private get sorted(): Change[] {
    return [...this.rows].sort((a, b) => (a.position < b.position ? -1 : 1));
  }

  latest(): Promise<Change | null> {
    return Promise.resolve(this.sorted.at(-1) ?? null);
  }

  since(time: number, limit: number): Promise<Change[]> {
    this.reads += 1;
    return Promise.resolve(this.sorted.filter(({ at }) => at > time).slice(0, limit));
  }

  after(position: string, limit: number): Promise<{ count: number; last: Change[] }> {
    const found = this.sorted.filter((one) => one.position > position);
    return Promise.resolve({ count: found.length, last: found.slice(-limit) });
  }

  messages(changes: readonly Change[]): Promise<ChangeMessage[]> {
    if (this.broken) return Promise.reject(new Error('gone'));
    return Promise.resolve(
      changes.map(({ key }) => ({
        eventType: key,
        rules: null,
        data: { id: key } as never,
        masked: {} as never,
      })),
    );
  }
}

describe('finding what is new', () => {
  let source: ListedChanges;
  let reader: ChangeReader;
  let now: number;
  beforeEach(() => {
    now = NOW;
    source = new ListedChanges();
    reader = new ChangeReader(source, () => now);
  });
  const poll = async (): Promise<{ keys: string[]; left: number }> => {
    const { messages, left } = await reader.poll(catalogue);
    return { keys: messages.map(({ eventType }) => eventType), left };
  };

  it('tells nothing of what was there before, and each later one once', async () => {
    source.add(NOW - 10, 'before');
    await reader.begin();
    expect(await poll()).toEqual({ keys: [], left: 0 });
    source.add(NOW, 'a');
    source.add(NOW + 1, 'b');
    expect(await poll()).toEqual({ keys: ['a', 'b'], left: 0 });
    expect(await poll()).toEqual({ keys: [], left: 0 });
  });

  it('finds a row that was committed after younger ones', async () => {
    await reader.begin();
    source.add(NOW + 2000, 'young');
    now += 2000;
    expect((await poll()).keys).toEqual(['young']);
    source.add(NOW + 100, 'late');
    expect((await poll()).keys).toEqual(['late']);
    expect((await poll()).keys).toEqual([]);
  });

  it('is not blinded by a writer whose clock is ahead', async () => {
    await reader.begin();
    source.add(NOW + 3_600_000, 'ahead');
    expect((await poll()).keys).toEqual(['ahead']);
    source.add(NOW + 10, 'in-time');
    expect((await poll()).keys).toEqual(['in-time']);
  });

  it('tells of no more than 100 a second, the latest of them, and how many it left out', async () => {
    await reader.begin();
    for (let at = 0; at < 250; at += 1) source.add(NOW + at, `k${at}`);
    now += 500;
    const first = await poll();
    expect([first.keys.length, first.keys[0], first.keys.at(-1), first.left]).toEqual([
      100,
      'k150',
      'k249',
      150,
    ]);
    for (let at = 250; at < 320; at += 1) source.add(NOW + 500 + at, `k${at}`);
    now += 500;
    const second = await poll();
    expect([second.keys.length, second.left]).toEqual([50, 20]);
    now += 2000;
    await poll();
    await poll();
    for (let at = 320; at < 420; at += 1) source.add(now + at, `k${at}`);
    expect((await poll()).keys).toHaveLength(100);
  });

  it('counts every row of a flood once, also when it is over', async () => {
    await reader.begin();
    let told = 0;
    let left = 0;
    let added = 0;
    for (let round = 0; round < 20; round += 1) {
      for (let at = 0; at < (round < 12 ? 900 : 3); at += 1, added += 1)
        source.add(now + at / 2, `r${added}`);
      now += 500;
      const found = await poll();
      told += found.keys.length;
      left += found.left;
    }
    now += 10_000;
    told += (await poll()).keys.length;
    expect(told + left).toBe(added);
    expect(told).toBeLessThan(1000);
  });

  it.each([3, 900])('loses nothing of %i when the database was away in between', async (count) => {
    await reader.begin();
    for (let at = 0; at < count; at += 1) source.add(NOW + at / 2, `k${at}`);
    source.broken = true;
    await expect(poll()).rejects.toThrow('gone');
    source.broken = false;
    const { keys, left } = await poll();
    expect(keys.length + left).toBe(count);
  });

  it('begins in the middle of a flood', async () => {
    for (let at = 0; at < 1000; at += 1) source.add(NOW - 1000 + at, `old${at}`);
    await reader.begin();
    expect(await poll()).toEqual({ keys: [], left: 0 });
    source.add(NOW + 5, 'new');
    expect(await poll()).toEqual({ keys: ['new'], left: 0 });
  });
});
