// Real metrics; a span that keeps how it ended.
import { describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { Ended } from '../../src/action/delivery-end.js';
import { measureAttempt } from '../../src/action/delivery-measures.js';
import { Metrics } from '../../src/config/metrics.js';
import type { SpanEnd } from '../../src/config/tracing.js';

const RECEIVED = Date.UTC(2026, 10, 2, 9);
const DUE = RECEIVED + 1000;
const STARTED = DUE + 2000;

function measured(
  changes: { occasion?: string; outcome?: 'delivered' | 'retry' } = {},
  state: string | null = 'delivered',
): { text: () => Promise<string>; ends: SpanEnd[] } {
  const metrics = new Metrics();
  const ends: SpanEnd[] = [];
  const ended: Ended = {
    row: { id: 'd', attempt: 1 },
    delivery: {
      id: 'd',
      actionKey: 'k',
      eventId: uuidv7({ msecs: RECEIVED }),
      occasion: changes.occasion ?? 'live',
      rule: 'r',
      action: 'a',
      kind: 'http',
      target: 't',
      state: 'delivering',
      attempt: 1,
      attemptsBefore: 0,
      dueAt: new Date(DUE),
      createdAt: new Date(DUE),
      redrivenAt: null,
      giveUpAt: null,
      lane: 't',
      orderKey: null,
      code: null,
      reason: null,
      request: null,
    },
    result: {
      outcome: changes.outcome ?? 'delivered',
      code: null,
      detail: '',
      status: 200,
      answer: '',
      retryAfterMs: null,
    },
    startedAt: STARTED,
    durationMs: 500,
    span: {
      run: (work) => work(),
      end: (end) => {
        ends.push(end);
      },
    },
  };
  measureAttempt(ended, state, metrics);
  return { text: () => metrics.registry.metrics(), ends };
}

describe('an attempt that has ended', () => {
  it('is measured from when it was due and from when its event was received', async () => {
    const { text, ends } = measured();
    for (const line of [
      'aftersign_attempts_total{kind="http",outcome="delivered"} 1',
      'aftersign_attempt_seconds_sum{kind="http"} 0.5',
      'aftersign_delivery_lateness_seconds_sum 2',
      'aftersign_delivery_end_to_end_seconds_sum 3.5',
      'aftersign_deliveries_ended_total{kind="http",state="delivered"} 1',
    ])
      expect(await text()).toContain(`${line}\n`);
    expect(ends).toEqual([{ until: STARTED + 500, outcome: 'delivered', code: null, status: 200 }]);
  });

  it('ends no delivery while it is to be tried again', async () => {
    const text = await measured({ outcome: 'retry' }, 'pending').text();
    expect(text).not.toMatch(/^aftersign_deliveries_ended_total\{/m);
    expect(text).toContain('aftersign_delivery_end_to_end_seconds_count 0\n');
  });

  it('of another occasion than the receipt says nothing of the way from there', async () => {
    const text = await measured({ occasion: 'replay-1' }).text();
    expect(text).toContain('aftersign_delivery_end_to_end_seconds_count 0\n');
    expect(text).toContain('aftersign_deliveries_ended_total{kind="http",state="delivered"} 1\n');
  });

  it('that another instance has taken over meanwhile is told by that one', async () => {
    const { text, ends } = measured({}, null);
    expect(ends).toEqual([]);
    expect(await text()).not.toMatch(/^aftersign_deliveries_ended_total\{/m);
    // It was sent all the same.
    expect(await text()).toContain('aftersign_attempts_total{kind="http",outcome="delivered"} 1\n');
  });
});
