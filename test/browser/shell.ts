// Signing in, the language, light and dark, the keys, a phone.
import { describe, expect, it } from '@jest/globals';
import type { Room } from '../support/room.js';

export function shell(room: Room): void {
  describe('signing in', () => {
    it('refuses a wrong password, and leads to where one was going', async () => {
      const console = await room.chromium.open(null);
      const { page } = console;
      room.chromium.allow('401 /login');
      await page.goto(`${room.stage.url}/console/deliveries?state=dead`);
      await console.signIn('operator', 'not this one');
      await page.getByRole('alert').getByText('The name or the password is wrong.').waitFor();

      await console.signIn('operator');
      await console.settled();
      const { pathname, search } = new URL(page.url());
      expect(pathname + search).toBe('/console/deliveries?state=dead');
      expect(await console.heading()).toBe('Deliveries');
      await console.close();
    });

    it('is asked for again when the session ends in the middle, and one is back', async () => {
      const console = await room.chromium.openAlone('viewer');
      const { page } = console;
      // A page that asks again seldom, so that the click comes first.
      await console.go('/try');
      await page.context().clearCookies();
      room.chromium.allow('401 /silences', '401 /stream');
      await page.getByRole('link', { name: 'Silences', exact: true }).click();
      await console.signIn('viewer');
      await console.settled();
      expect(await console.heading()).toBe('Silences');
      await console.close();
    });

    it('ends when one signs out', async () => {
      const console = await room.chromium.openAlone('admin');
      const { page } = console;
      await console.go('/timers');
      await page.getByRole('button', { name: 'Account' }).click();
      await page.getByRole('menuitem', { name: 'Sign out' }).click();
      await page.getByRole('button', { name: 'Sign in' }).waitFor();
      expect((await page.context().request.get(`${room.stage.url}/api/v1/events`)).status()).toBe(401);
      await console.close();
    });
  });

  describe('the language', () => {
    it('is what the browser asks for, switches everything at once, and is remembered', async () => {
      const console = await room.chromium.openAlone('viewer', { language: 'zh' });
      const { page } = console;
      await console.go('/silences');
      expect(await console.heading()).toBe('静默');
      expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN');

      await page.getByRole('radiogroup', { name: '语言' }).getByText('English').click();
      await page.getByRole('heading', { level: 1, name: 'Silences' }).waitFor();
      expect(await page.title()).toBe('Silences · Aftersign');
      await page.reload();
      await console.settled();
      expect(await console.heading()).toBe('Silences');
      expect(await page.locator('html').getAttribute('lang')).toBe('en');
      await page.getByRole('link', { name: 'Deliveries', exact: true }).waitFor();
      await console.close();
    });
  });

  describe('light and dark', () => {
    it('is what the system has, and what was chosen is remembered', async () => {
      const console = await room.chromium.openAlone('viewer', { scheme: 'dark' });
      const { page } = console;
      const scheme = () => page.locator('html').getAttribute('data-mantine-color-scheme');
      await console.go('/timers');
      expect(await scheme()).toBe('dark');
      await page.getByRole('button', { name: 'Light' }).click();
      await page.reload();
      await console.settled();
      expect(await scheme()).toBe('light');
      await console.close();
    });
  });

  describe('by the keyboard alone', () => {
    it('an event is found, opened and left', async () => {
      const console = await room.chromium.open('viewer');
      const { page } = console;
      await console.go('/');
      await page.keyboard.press('g');
      await page.keyboard.press('e');
      await page.getByRole('heading', { level: 1, name: 'Events' }).waitFor();
      await console.settled();
      await page.keyboard.press('j');
      await page.keyboard.press('j');
      await page.keyboard.press('k');
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/events\/[0-9a-f-]{36}$/);
      await console.settled();
      await page.keyboard.press('?');
      await page.getByRole('dialog', { name: 'Keys' }).waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog', { name: 'Keys' }).waitFor({ state: 'detached' });
      await page.keyboard.press('/');
      await page.keyboard.type('renewal_record');
      await page.keyboard.press('Enter');
      await page.waitForURL(/\/events\?text=renewal_record$/);
      await console.close();
    });
  });

  describe('a phone', () => {
    it('has the menu behind a button, and scrolls nothing sideways', async () => {
      const console = await room.chromium.open('viewer', { device: 'phone' });
      const { page } = console;
      await console.go('/');
      await page.getByRole('button', { name: 'Menu' }).click();
      await page.getByRole('link', { name: 'Targets', exact: true }).click();
      await console.settled();
      expect(await console.heading()).toBe('Targets');
      expect(await console.sticksOut()).toEqual([]);
      await console.close();
    });
  });
}
