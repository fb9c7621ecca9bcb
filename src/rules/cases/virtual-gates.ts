import { actionKeyOf } from '../../action/delivery-store.js';
import { type Admission, type Gates, itemKeyOf, onceKeyOf, throttleKeyOf } from '../admission.js';
import { type BrakeGates, budgetScope, countedSince, NO_BRAKES, sliceAt } from '../brake.js';
import type { Firing } from '../firing.js';

/** What the gates know in memory, as the gate store keeps it in the database. There is no storm brake and no silence. */
export class VirtualGates {
  private readonly sent = new Set<string>();
  private readonly once = new Set<string>();
  private readonly throttles = new Map<string, readonly number[]>();
  /** By scope, then by slice of time: how many deliveries were let through. */
  private readonly through = new Map<string, Map<number, number>>();

  /** `now` in ms. */
  read(firings: readonly Firing[], now: number): Gates {
    const throttles = new Map<string, readonly number[]>();
    for (const firing of firings) {
      const { throttle } = firing.rule;
      if (!throttle) continue;
      const key = throttleKeyOf(firing);
      const hits = this.throttles.get(key) ?? [];
      throttles.set(
        key,
        hits.filter((hit) => hit > now - throttle.perMs).sort((a, b) => a - b),
      );
    }
    const keys = firings.flatMap((firing) => [
      ...firing.deliveries.map(actionKeyOf),
      ...firing.items.map(({ action }) => itemKeyOf(firing, action)),
    ]);
    return {
      // Of what may be many only what is asked for: the gates make copies.
      sent: new Set(keys.filter((key) => this.sent.has(key))),
      once: new Set(firings.flatMap((firing) => onceKeyOf(firing) ?? []).filter((key) => this.once.has(key))),
      silences: [],
      throttles,
      brakes: this.brakes(firings, now),
    };
  }

  /** Notes what was admitted, and what it uses up. */
  write({ deliveries, items, once, hits, counts }: Admission, now: number): void {
    for (const { delivery } of deliveries) this.sent.add(actionKeyOf(delivery));
    for (const item of items) this.sent.add(actionKeyOf({ ...item, generation: 0 }));
    for (const { entity, subject, rule } of once) this.once.add(JSON.stringify([entity, subject, rule]));
    for (const { rule, key, at, max, perMs } of hits) {
      const name = JSON.stringify([rule, key]);
      const kept = [...(this.throttles.get(name) ?? []), at].filter((hit) => hit > now - perMs);
      this.throttles.set(name, kept.sort((a, b) => b - a).slice(0, max));
    }
    for (const { scope, perMs, count } of counts) {
      let slices = this.through.get(scope);
      if (!slices) this.through.set(scope, (slices = new Map<number, number>()));
      const slice = sliceAt(now, perMs);
      slices.set(slice, (slices.get(slice) ?? 0) + count);
    }
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
