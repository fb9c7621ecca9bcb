// After a wrong rule: looked at, asked for the number, and followed until it is done.
import { describe, expect, it } from '@jest/globals';
import type { Room } from '../support/room.js';

const LONG_AGO = '2026-01-01T00:00';

export function replays(room: Room): void {
  describe('a recall', () => {
    it('begins on the page of its rule, and keeps what is right', async () => {
      const console = await room.chromium.open('operator');
      const { page } = console;
      await console.go('/rules/renewal-done');
      await page.getByRole('button', { name: 'Recall', exact: true }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Sent from').fill(LONG_AGO);
      await dialog.getByRole('button', { name: 'Look what would come of it' }).click();
      await dialog
        .getByRole('table', { name: 'Deliveries of the rule' })
        .getByText('Kept: it is right')
        .first()
        .waitFor();
      const act = dialog.getByRole('button', { name: /^Recall \d+ deliveries$/ });
      const count = /\d+/.exec(await act.innerText())?.[0] ?? '';
      expect(await act.isDisabled()).toBe(true);
      await dialog.getByLabel(`Type ${count} to go on`).fill(count);
      await act.click();
      await page.waitForURL(/\/recalls\/[0-9a-f-]{36}$/);
      await page.getByText('Done', { exact: true }).waitFor();
      await page
        .getByRole('table', { name: 'Deliveries of the rule' })
        .getByText('Kept: it is right')
        .first()
        .waitFor();
      await console.close();
    }, 60_000);
  });

  describe('a replay', () => {
    it('is looked at before it is ordered, and is off for viewers', async () => {
      const console = await room.chromium.open('operator');
      const { page } = console;
      await console.go('/replays');
      await page.getByRole('button', { name: 'New replay' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Received from').fill(LONG_AGO);
      await dialog.getByLabel('Event type, or a pattern').fill('corehr.process.*');
      await dialog.getByRole('button', { name: 'Look what would come of it' }).click();
      await dialog
        .getByRole('table', { name: 'What would be sent' })
        .getByText('There already')
        .first()
        .waitFor();
      expect(await dialog.getByRole('button', { name: /^Replay \d+ events$/ }).isDisabled()).toBe(true);
      await console.close();
      const viewer = await room.chromium.open('viewer');
      await viewer.go('/replays?kind=recalls');
      expect(
        await viewer.page.getByRole('button', { name: 'New replay' }).getAttribute('aria-disabled'),
      ).toBe('true');
      await viewer.page.getByRole('table', { name: 'Recalls' }).getByText('renewal-done').first().waitFor();
      await viewer.close();
    }, 60_000);
  });
}
