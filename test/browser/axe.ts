// Every page by axe-core, light and dark, with the page's own policy in force: nothing serious, nothing critical.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { ConsolePage } from '../support/chromium.js';
import { pathsOf } from '../support/console-paths.js';
import type { Room } from '../support/room.js';

const AXE = readFileSync(
  createRequire(join(process.cwd(), 'package.json')).resolve('axe-core/axe.min.js'),
  'utf8',
);

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary: string }[];
}

/** Colours change by and by: a text that is half dark is none that anybody reads. */
const COLOURS_STAND = `(async () => {
  for (let still = 0; still < 3; ) {
    await new Promise(requestAnimationFrame);
    still = document.getAnimations().some((one) => one instanceof CSSTransition) ? 0 : still + 1;
  }
})()`;

/** Serious and critical ones alone, a line each. `rule`: only by this one. */
async function violationsOf(console: ConsolePage, name: string, rule?: string): Promise<string[]> {
  const options = { resultTypes: ['violations'], ...(rule === undefined ? {} : { runOnly: [rule] }) };
  // By the debugger and not by the page, so that the page's policy need not allow it.
  if (!(await console.page.evaluate<boolean>("'axe' in window"))) await console.page.evaluate(AXE);
  const { violations } = await console.page.evaluate<{ violations: Violation[] }>(
    `axe.run(document, ${JSON.stringify(options)})`,
  );
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes
        .slice(0, 3)
        .map(({ target, failureSummary }) => `${name}: ${id} ${target.join(' ')} ${failureSummary}`),
    );
}

export function axe(room: Room): void {
  describe('every page, by axe', () => {
    it('is fine, in light and in dark', async () => {
      const console = await room.chromium.open('admin');
      await console.go('/');
      const found: string[] = [];
      for (const [name, path] of Object.entries<string>({ ...(await pathsOf(room)) })) {
        await console.page.emulateMedia({ colorScheme: 'light' });
        await console.visit(path);
        await console.page.evaluate(COLOURS_STAND);
        found.push(...(await violationsOf(console, name)));
        // Nothing but the colours is another in the dark.
        await console.page.emulateMedia({ colorScheme: 'dark' });
        await console.page.locator('html[data-mantine-color-scheme="dark"]').waitFor();
        await console.page.evaluate(COLOURS_STAND);
        found.push(...(await violationsOf(console, `${name}, dark`, 'color-contrast')));
      }
      await console.close();
      expect(found).toEqual([]);
    }, 180_000);

    it('is fine on a phone, in Chinese', async () => {
      const console = await room.chromium.open('operator', { device: 'phone', language: 'zh' });
      const { overview, event, process } = await pathsOf(room);
      const found: string[] = [];
      await console.go('/');
      for (const path of [overview, event, process]) {
        await console.visit(path);
        found.push(...(await violationsOf(console, path)));
        expect([path, await console.sticksOut()]).toEqual([path, []]);
      }
      await console.close();
      expect(found).toEqual([]);
    }, 60_000);

    it('is fine where one signs in', async () => {
      const console = await room.chromium.open(null);
      for (const scheme of ['light', 'dark'] as const) {
        await console.page.emulateMedia({ colorScheme: scheme });
        await console.page.goto(`${room.stage.url}/console/`);
        await console.page.getByRole('button', { name: 'Sign in' }).waitFor();
        expect(await violationsOf(console, `signing in, ${scheme}`)).toEqual([]);
      }
      await console.close();
    }, 60_000);
  });
}
