import { actionKeyOf } from '../../action/delivery-store.js';
import { type Admission, type Gates, itemKeyOf, onceKeyOf, throttleKeyOf } from '../admission.js';
import { type BrakeGates, budgetScope, countedSince, NO_BRAKES, sliceAt } from '../brake.js';
import type { Firing } from '../firing.js';
import type { VirtualEntities } from './virtual-entities.js';

/** With more throttles than this, those whose time is over go. */
const MOST_THROTTLES = 10_000;

/** What the gates know in memory, as the gate store keeps it in the database. There is no storm brake and no silence. */
export class VirtualGates {
  /** By rule and key: when it was passed last, the latest first; and for how long that counts (ms). */
  private readonly throttles = new Map<
    string,
    { readonly hits: readonly number[]; readonly perMs: number }
  >();
  private tidyAt = MOST_THROTTLES;
  /** By scope, then by slice of time: how many deliveries were let through. */
  private readonly through = new Map<string, Map<number, number>>();

  constructor(private readonly entities: VirtualEntities) {}

  /** `now` in ms. */
  read(firings: readonly Firing[], now: number): Gates {
    const throttles = new Map<string, readonly number[]>();
    const sent = new Set<string>();
    const once = new Set<string>();
    for (const firing of firings) {
      const { throttle } = firing.rule;
      if (throttle) {
        const key = throttleKeyOf(firing);
        const hits = this.throttles.get(key)?.hits ?? [];
        throttles.set(
          key,
          hits.filter((hit) => hit > now - throttle.perMs).sort((a, b) => a - b),
        );
      }
      // Of what may be many only what is asked for: the gates make copies.
      const record = this.entities.find(firing.entity);
      if (!record) continue;
      for (const delivery of firing.deliveries) noteKnown(actionKeyOf(delivery), record.sent, sent);
      for (const { action } of firing.items) noteKnown(itemKeyOf(firing, action), record.sent, sent);
      const onceKey = onceKeyOf(firing);
      if (onceKey !== null) noteKnown(onceKey, record.once, once);
    }
    return { sent, once, silences: [], throttles, brakes: this.brakes(firings, now) };
  }

  /** Notes what was admitted, and what it uses up. */
  write({ deliveries, items, once, hits, counts }: Admission, now: number): void {
    for (const { delivery } of deliveries) this.noteSent(delivery.entity, actionKeyOf(delivery));
    for (const item of items) this.noteSent(item.entity, actionKeyOf({ ...item, generation: 0 }));
    for (const { entity, subject, rule } of once)
      this.entities.of(entity).once.add(JSON.stringify([entity, subject, rule]));
    for (const { rule, key, at, max, perMs } of hits) {
      const name = JSON.stringify([rule, key]);
      const kept = [...(this.throttles.get(name)?.hits ?? []), at].filter((hit) => hit > now - perMs);
      this.throttles.set(name, { hits: kept.sort((a, b) => b - a).slice(0, max), perMs });
    }
    if (this.throttles.size > this.tidyAt) this.tidy(now);
    for (const { scope, perMs, count } of counts) {
      let slices = this.through.get(scope);
      if (!slices) this.through.set(scope, (slices = new Map<number, number>()));
      const slice = sliceAt(now, perMs);
      if (!slices.has(slice)) {
        const since = countedSince(now, perMs);
        for (const begin of slices.keys()) if (begin <= since) slices.delete(begin);
      }
      slices.set(slice, (slices.get(slice) ?? 0) + count);
    }
  }

  /** An event that belongs to nothing else never comes again. */
  private noteSent(entity: string, key: string): void {
    if (!entity.startsWith('event:')) this.entities.of(entity).sent.add(key);
  }

  private tidy(now: number): void {
    for (const [key, { hits, perMs }] of this.throttles)
      if ((hits[0] ?? 0) <= now - perMs) this.throttles.delete(key);
    this.tidyAt = Math.max(MOST_THROTTLES, 2 * this.throttles.size);
  }

  private brakes(firings: readonly Firing[], now: number): BrakeGates {
    const budgets = new Map<string, number>();
    for (const { rule } of firings) {
      if (!rule.budget) continue;
      const scope = budgetScope(rule.name);
      const since = countedSince(now, rule.budget.perMs);
      let count = 0;
      for (const [slice, through] of this.through.get(scope) ?? []) if (slice > since) count += through;
      budgets.set(scope, count);
    }
    return budgets.size === 0 ? NO_BRAKES : { budgets, storm: null };
  }
}

function noteKnown(key: string, among: ReadonlySet<string>, known: Set<string>): void {
  if (among.has(key)) known.add(key);
}
