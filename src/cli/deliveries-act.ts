import { Refusal } from '../config/problem.js';
import { printable } from '../config/terminal-text.js';
import type { Delivery } from '../console/api/deliveries.schema.js';
import type { DeliveryAct } from '../action/delivery-acts.js';
import { type AdminPlace, withAdmin } from './admin.js';
import { print } from './output.js';
import { refuse } from './refuse.js';
import { deliveryState } from './words.js';

/** What `--json` prints for each delivery. */
type Outcome =
  | { readonly id: string; readonly done: true; readonly delivery: Delivery }
  | { readonly id: string; readonly done: false; readonly code: string; readonly detail: string };

/**
 * `aftersign deliveries redrive|release|discard|cancel <id…>`: each delivery by itself. Exit code 1 when one is refused;
 * the others are done all the same.
 */
export async function actOnDeliveries(
  act: DeliveryAct,
  ids: readonly string[],
  options: AdminPlace & { readonly reason?: string; readonly edited?: boolean; readonly json?: boolean },
): Promise<number> {
  const { reason, edited, json = false } = options;
  return await withAdmin(options, async ({ deliveries }) => {
    const outcomes: Outcome[] = [];
    for (const id of new Set(ids)) {
      try {
        const delivery = await deliveries.act(id, act, {
          ...(reason === undefined ? {} : { reason }),
          ...(edited === true && { edited }),
        });
        outcomes.push({ id, done: true, delivery });
        if (!json)
          await print(
            `${printable(id)}${delivery.id === id ? '' : ` → ${printable(delivery.id)}`}  ${printable(delivery.rule)} / ${printable(delivery.action)}: ${deliveryState(delivery.state)}\n`,
          );
      } catch (error) {
        // What is about this delivery leaves the others; what is about us or the server does not.
        if (!(error instanceof Refusal) || ![404, 409].includes(error.status)) throw error;
        const { code, detail } = error;
        outcomes.push({ id, done: false, code, detail });
        refuse(code, printable(`${id}: ${detail}`));
      }
    }
    if (json) await print(`${JSON.stringify({ items: outcomes })}\n`);
    return outcomes.every(({ done }) => done) ? 0 : 1;
  });
}
