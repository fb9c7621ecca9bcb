import { describe, expect, it } from '@jest/globals';
import { type AskedFor, LookupCache, type RawAnswer } from '../../src/rules/lookup-cache.js';
import { LOOKUP_DOCUMENT } from '../../src/rules/lookup-document.js';

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 10, 2, 9);
const process = LOOKUP_DOCUMENT.parse({ type: 'feishu-process', id: '{{ event.process_id }}' });
const user = LOOKUP_DOCUMENT.parse({ type: 'feishu-user', id: '{{ event.open_id }}', idType: 'open_id' });
const http = LOOKUP_DOCUMENT.parse({ type: 'http', url: 'https://a.example/' });

const eventAt = (createTime: number | null, receivedAt: number = createTime ?? NOW): AskedFor => ({
  createTime: createTime === null ? null : new Date(createTime),
  receivedAt: new Date(receivedAt),
});
const answerAt = (fetchedAt: number, value: unknown = 1): RawAnswer => ({ value, fetchedAt });

describe('answers that serve more events than one', () => {
  it('the state of a process serves events that had happened and come in before it was asked', () => {
    const cache = new LookupCache();
    cache.put('k', answerAt(NOW));
    expect(cache.find('k', process, eventAt(NOW - 1), NOW + MINUTE)).toEqual(answerAt(NOW));
    expect(cache.find('k', process, eventAt(NOW), NOW + MINUTE)).toEqual(answerAt(NOW));
    expect(cache.find('k', process, eventAt(NOW + 1), NOW + MINUTE)).toBeNull();
    // By the platform's clock it is older than the answer, and yet it came in later: which clock is wrong nobody knows.
    expect(cache.find('k', process, eventAt(NOW - MINUTE, NOW + 1), NOW + MINUTE)).toBeNull();
    expect(cache.find('k', process, eventAt(null, NOW - 1), NOW + MINUTE)).toEqual(answerAt(NOW));
  });

  it('a name serves for a day, whenever the event was', () => {
    const cache = new LookupCache();
    cache.put('k', answerAt(NOW));
    const day = 24 * 60 * MINUTE;
    expect(cache.find('k', user, eventAt(NOW + day - 1), NOW + day - 1)).not.toBeNull();
    expect(cache.find('k', user, eventAt(NOW + day), NOW + day)).toBeNull();
  });

  it('what any service says serves nobody else unless the look-up says so', () => {
    const cache = new LookupCache();
    cache.put('k', answerAt(NOW));
    expect(cache.find('k', http, eventAt(NOW), NOW)).toBeNull();
  });

  it('forgets what was used least recently when there is too much', () => {
    const cache = new LookupCache();
    const large = 'x'.repeat(200_000);
    for (let n = 0; n < 100; n += 1) cache.put(`k${n}`, answerAt(NOW, large));
    expect(cache.find('k0', process, eventAt(NOW), NOW)).not.toBeNull();
    for (let n = 100; n < 240; n += 1) {
      cache.put(`k${n}`, answerAt(NOW, large));
      cache.find('k0', process, eventAt(NOW), NOW);
    }
    expect(cache.find('k0', process, eventAt(NOW), NOW)).not.toBeNull();
    expect(cache.find('k1', process, eventAt(NOW), NOW)).toBeNull();
    expect(cache.find('k239', process, eventAt(NOW), NOW)).not.toBeNull();
  });

  it('keeps nothing that would push out all the others', () => {
    const cache = new LookupCache();
    cache.put('k', answerAt(NOW, 'x'.repeat(1_000_000)));
    expect(cache.find('k', process, eventAt(NOW), NOW)).toBeNull();
  });
});
