import { type AdminPlace, withAdmin } from './admin.js';
import { print } from './output.js';

/** `aftersign rules activate`: works whether the service runs or not; a running one takes the set with its next event. */
export async function activateRuleSet(
  hash: string,
  options: AdminPlace & { readonly reason?: string; readonly json?: boolean },
): Promise<number> {
  const { reason, json } = options;
  return await withAdmin(options, async ({ ruleSets }) => {
    const activated = await ruleSets.activate(hash, reason === undefined ? {} : { reason });
    await print(
      json
        ? `${JSON.stringify(activated)}\n`
        : [
            `Rule set ${activated.hash.slice(0, 12)} is live (activation ${activated.number}).`,
            ...Object.entries(activated.cancelledTimers).map(
              ([rule, count]) => `The rule "${rule}" is gone or off: ${count} of its escalations ended.`,
            ),
            '',
          ].join('\n'),
    );
    return 0;
  });
}
