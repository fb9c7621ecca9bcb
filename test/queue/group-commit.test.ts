import { describe, expect, it } from '@jest/globals';
import { BacklogFullError, CommitLateError, GroupCommit } from '../../src/queue/group-commit.js';

const dataError = Object.assign(new Error('invalid'), { code: '22P05' });

describe('group commit', () => {
  it('lets callers of one turn share one commit, each with its own result', async () => {
    const batches: number[][] = [];
    const commits = new GroupCommit<number, number>(
      (items) => {
        batches.push([...items]);
        return Promise.resolve(items.map((n) => n * 10));
      },
      { batch: 3, concurrency: 1, backlog: 100, patience: 60_000 },
    );
    expect(await Promise.all([1, 2, 3, 4, 5].map((n) => commits.add(n)))).toEqual([10, 20, 30, 40, 50]);
    expect(batches).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
  });

  it('splits a batch the database refuses, so that only the bad row fails', async () => {
    const commits = new GroupCommit<number, number>(
      (items) => (items.includes(7) ? Promise.reject(dataError) : Promise.resolve([...items])),
      { batch: 100, concurrency: 2, backlog: 100, patience: 60_000 },
    );
    const results = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => commits.add(n)));
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    expect(results[7]).toEqual({ status: 'rejected', reason: dataError });
  });

  it('does not split when the database is away: all callers hear of it at once', async () => {
    let calls = 0;
    const commits = new GroupCommit<number, number>(
      () => {
        calls += 1;
        return Promise.reject(new Error('connection lost'));
      },
      { batch: 100, concurrency: 1, backlog: 100, patience: 60_000 },
    );
    const results = await Promise.allSettled([1, 2, 3].map((n) => commits.add(n)));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(calls).toBe(1);
  });

  it('refuses more than its backlog, and takes more again when it has drained', async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const commits = new GroupCommit<number, number>(
      async (items) => {
        await gate;
        return [...items];
      },
      { batch: 1, concurrency: 1, backlog: 2, patience: 60_000 },
    );
    const first = commits.add(1);
    await new Promise(setImmediate);
    const waiting = [commits.add(2), commits.add(3)];
    expect(commits.isFull).toBe(true);
    await expect(commits.add(4)).rejects.toBeInstanceOf(BacklogFullError);
    release();
    await Promise.all([first, ...waiting]);
    await commits.drain();
    expect(await commits.add(5)).toBe(5);
  });

  it('tells a caller that it is too late, and commits all the same', async () => {
    const committed: number[] = [];
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const commits = new GroupCommit<number, number>(
      async (items) => {
        await gate;
        committed.push(...items);
        return [...items];
      },
      { batch: 1, concurrency: 1, backlog: 10, patience: 1 },
    );
    const results = await Promise.allSettled([commits.add(1), commits.add(2)]);
    expect(results.map((one) => one.status === 'rejected' && one.reason instanceof CommitLateError)).toEqual([
      true,
      true,
    ]);
    release();
    await commits.drain();
    expect(committed).toEqual([1, 2]);
  });
});
