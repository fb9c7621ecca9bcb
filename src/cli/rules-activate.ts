import { RuleSetError } from '../rules/rules.errors.js';
import { withInstallation } from './installation.js';
import { refuse } from './refuse.js';

/** `aftersign rules activate`: works whether the service runs or not; a running one takes the set with its next event. */
export async function activateRuleSet(hash: string, json: boolean): Promise<number> {
  return await withInstallation(async ({ ruleSets }) => {
    try {
      const activated = await ruleSets.activate(hash);
      process.stdout.write(
        json
          ? `${JSON.stringify(activated)}\n`
          : `Rule set ${activated.hash.slice(0, 12)} is live (activation ${activated.number}).\n`,
      );
      return 0;
    } catch (error) {
      if (!(error instanceof RuleSetError)) throw error;
      return refuse(error.code, error.message);
    }
  });
}
