// What each role may not do is not offered, and the API refuses it whatever a page offers.
import { describe, expect, it } from '@jest/globals';
import type { Room } from '../support/room.js';

const PERSONAL = /\bhidden\b|masked|•/i;

export function roles(room: Room): void {
  describe('the roles', () => {
    it('viewer: looks at everything and does nothing', async () => {
      const { stage, chromium } = room;
      const api = await stage.as('viewer');
      const dead = (await api.ask('GET', '/api/v1/deliveries?state=dead&limit=1')).body as {
        items: { id: string }[];
      };
      const { id } = dead.items[0]!;
      const console = await chromium.open('viewer');
      const { page } = console;
      await console.go(`/deliveries/${id}`);
      for (const name of ['Users', 'Audit'])
        expect(await page.getByRole('link', { name, exact: true }).count()).toBe(0);
      const redrive = page.getByRole('button', { name: 'Redrive …' });
      expect(await redrive.getAttribute('aria-disabled')).toBe('true');
      await redrive.hover();
      await page.getByRole('tooltip').getByText('This needs the role operator.').waitFor();
      await redrive.click({ force: true });
      expect(await page.getByRole('dialog').count()).toBe(0);
      expect(await console.text()).toMatch(PERSONAL);

      await console.go('/deliveries?state=dead');
      expect(await page.getByRole('checkbox').count()).toBe(0);
      for (const [path, body] of [
        [`/deliveries/${id}/redrive`, {}],
        ['/silences', { matcher: { rule: '*' }, for: '1h', reason: 'no' }],
        ['/trials', { path: 'a.rule.json', text: '{}', events: 1 }],
        ['/users', { name: 'other', role: 'admin' }],
      ] as const)
        expect([path, (await api.ask('POST', `/api/v1${path}`, body)).status]).toEqual([path, 403]);
      for (const path of ['/users', '/audit'])
        expect((await api.ask('GET', `/api/v1${path}`)).status).toBe(403);
      await console.close();
    }, 60_000);

    it('operator: acts, and is led to nothing of admins by any address', async () => {
      const { stage, chromium } = room;
      const console = await chromium.open('operator');
      const { page } = console;
      for (const path of ['/users', '/audit']) {
        await page.goto(`${stage.url}/console${path}`);
        await page.getByText('There is no such page.').waitFor();
      }
      expect(await page.getByRole('link', { name: 'Users', exact: true }).count()).toBe(0);
      await console.go('/silences');
      const add = page.getByRole('button', { name: 'New silence' });
      expect(await add.getAttribute('aria-disabled')).toBeNull();
      const api = await stage.as('operator');
      expect((await api.ask('POST', '/api/v1/users', { name: 'other', role: 'admin' })).status).toBe(403);
      await console.close();
    }, 60_000);

    it('admin: has users and the audit log, in which the acts of the others stand', async () => {
      const console = await room.chromium.open('admin');
      const { page } = console;
      await console.go('/');
      await page.getByRole('link', { name: 'Users', exact: true }).click();
      await page.getByRole('heading', { level: 1, name: 'Users' }).waitFor();
      await console.settled();
      const users = page.getByRole('table', { name: 'Users' });
      for (const name of ['viewer', 'operator', 'admin (you)'])
        expect(await users.getByText(name, { exact: true }).count()).toBe(1);
      await page.getByRole('link', { name: 'Audit', exact: true }).click();
      await page.getByRole('heading', { level: 1, name: 'Audit' }).waitFor();
      await console.settled();
      expect(await console.text()).toContain('user.create');
      await console.close();
    }, 60_000);
  });
}
