// What ops people do all day: find an event, read why, mend what is stuck, silence, try.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Room } from '../support/room.js';

interface Row {
  readonly id: string;
  readonly attempt: number;
}

export function flows(room: Room): void {
  const ask = async <T>(path: string): Promise<T> => {
    const api = await room.stage.as('operator');
    return (await api.ask('GET', `/api/v1${path}`)).body as T;
  };
  const rowsOf = async (path: string): Promise<readonly Row[]> =>
    (await ask<{ items: readonly Row[] }>(path)).items;

  describe('an event', () => {
    it('is found by its process, and says why a rule did not fire', async () => {
      const process = '7500412983799000001';
      await room.stage.push({
        process_id: process,
        biz_type: 'renewal_record',
        status: 3,
        node_definition_id: 'approval_other',
      });
      // The list without filters shows it at once; a search a second later.
      await room.stage.until(`/events?text=${process}`);
      const console = await room.chromium.open('viewer');
      const { page } = console;
      await console.go('/events');
      await page.getByRole('searchbox', { name: 'Event' }).fill(process);
      await page.keyboard.press('Enter');
      await page.waitForURL(`**/events?text=${process}`);
      const rows = page.getByRole('table', { name: 'Events' }).locator('tbody tr');
      // Not on a link in the row: that leads elsewhere.
      await rows.filter({ hasText: process }).first().locator('td').first().click();
      await page.waitForURL(/\/events\/[0-9a-f-]{36}$/);
      await console.settled();

      const missed = page.locator('.verdict[data-standing="near miss"]');
      const verdict = missed.filter({ hasText: 'renewal-done' });
      const head = verdict.getByRole('button').first();
      if ((await head.getAttribute('aria-expanded')) === 'false') await head.click();
      const tree = verdict.getByRole('list', { name: 'What renewal-done said' });
      await tree.waitFor();
      const failing = tree.locator('li[data-failing="true"]');
      expect(await failing.count()).toBe(1);
      expect(await failing.getByRole('img', { name: 'does not hold' }).count()).toBe(1);
      expect(await failing.innerText()).toMatch(
        /node_definition_id[^]*approval_7c7d9c4d25b[^]*approval_other/,
      );
      expect(await tree.getByRole('img', { name: 'holds', exact: true }).count()).toBeGreaterThanOrEqual(2);
      expect(await verdict.innerText()).toContain('Would have matched if');
      await console.close();
    }, 60_000);

    it('appears by itself where the list is live', async () => {
      const process = '7500412983799000002';
      const console = await room.chromium.open('viewer');
      const { page } = console;
      await console.go('/events?live=1');
      await page.getByRole('img', { name: 'Live', exact: true }).waitFor();
      await room.stage.push({ process_id: process });
      await page.getByRole('table', { name: 'Events' }).getByText(process).first().waitFor();
      await console.close();
    }, 60_000);
  });

  describe('a delivery', () => {
    it('that is dead is sent again', async () => {
      const [dead] = await rowsOf('/deliveries?state=dead&rule=legacy-told&limit=1');
      const console = await room.chromium.open('operator');
      const { page } = console;
      await console.go('/deliveries?state=dead&rule=legacy-told');
      await page
        .getByRole('table', { name: 'Deliveries' })
        .getByText('Dead', { exact: true })
        .first()
        .click();
      await page.waitForURL(`**/deliveries/${dead!.id}`);
      await console.settled();
      const attempts = page.getByRole('list', { name: 'Attempts', exact: true }).getByRole('listitem');
      await page.getByRole('button', { name: 'Redrive …' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Redrive', exact: true }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await room.stage.until(`/deliveries/${dead!.id}`, (row) => (row as Row).attempt === dead!.attempt + 1);
      // The page hears of it, without anybody loading it again.
      await attempts.nth(dead!.attempt).waitFor();
      await console.close();
    }, 60_000);

    it('that a brake held is released, with all others that the filters find', async () => {
      const held = await rowsOf('/deliveries?state=held&limit=200');
      expect(held.length).toBeGreaterThan(0);
      const console = await room.chromium.open('operator');
      const { page } = console;
      await console.go('/deliveries?state=held');
      await page.getByRole('button', { name: 'Release …' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText(/^(?:1 delivery fits|\d+ deliveries fit)\.$/).waitFor();
      await dialog.getByRole('button', { name: `Release ${held.length}` }).click();
      await dialog.getByText('Finished.').waitFor();
      await dialog.getByRole('button', { name: 'Close' }).last().click();
      expect(await rowsOf('/deliveries?state=held')).toEqual([]);
      await page.getByText('Nothing fits these filters.').waitFor();
      await console.close();
    }, 60_000);

    it('is discarded with a reason alone', async () => {
      const [dead] = await rowsOf('/deliveries?state=dead&rule=badge-ordered&limit=1');
      const console = await room.chromium.open('operator');
      const { page } = console;
      await console.go(`/deliveries/${dead!.id}`);
      await page.getByRole('button', { name: 'Discard …' }).click();
      const dialog = page.getByRole('dialog');
      const act = dialog.getByRole('button', { name: 'Discard', exact: true });
      expect(await act.isDisabled()).toBe(true);
      await dialog.getByLabel('Reason').fill('The badge was ordered by hand');
      await act.click();
      await room.stage.until(
        `/deliveries/${dead!.id}`,
        (row) => (row as { state: string }).state === 'cancelled',
      );
      await page.locator('#content').getByText('The badge was ordered by hand').first().waitFor();
      await console.close();
    }, 60_000);
  });

  describe('a silence', () => {
    it('is added and ended', async () => {
      const console = await room.chromium.open('operator');
      const { page } = console;
      await console.go('/silences');
      await page.getByRole('button', { name: 'New silence' }).click();
      const form = page.getByRole('dialog');
      await form.getByRole('combobox', { name: 'Rule' }).fill('welcome-*');
      await form.getByRole('textbox', { name: 'Reason' }).fill('The welcome is being reworded');
      await form.getByRole('button', { name: 'Silence', exact: true }).click();
      const active = page.getByRole('region', { name: /^In force/ });
      await active.getByText('The welcome is being reworded').waitFor();

      const end = page.getByRole('button', { name: 'End the silence of welcome-*' });
      await end.click();
      await page.getByRole('dialog').getByRole('button', { name: 'End it now' }).click();
      await end.waitFor({ state: 'detached' });
      await page
        .getByRole('region', { name: /^Ended/ })
        .getByText('The welcome is being reworded')
        .waitFor();
      await console.close();
    }, 60_000);
  });

  describe('the try pad', () => {
    it('shows what an edit would do with the last events, and stores nothing', async () => {
      const console = await room.chromium.open('operator');
      const { page } = console;
      await console.go('/try?rule=approval-rejected');
      const editor = page.getByRole('textbox', { name: 'Edit of corehr/approval-rejected.rule.json' });
      const text = await room.stage.ruleText('corehr/approval-rejected.rule.json');
      await editor.fill(text.replace('"value": 2 }', '"value": 3 }'));
      await page.getByRole('button', { name: 'Try it' }).click();
      await page.getByRole('heading', { name: 'Event by event' }).waitFor();
      await console.settled();
      const added = /(\d+) added/.exec(await console.text());
      expect(Number(added?.[1])).toBeGreaterThan(0);

      await editor.fill(text.replace('"equal"', '"equals"'));
      await page.getByRole('button', { name: /^Try/ }).click();
      await page.getByText('The file has 1 error: nothing was tried').waitFor();
      expect(await room.stage.ruleText('corehr/approval-rejected.rule.json')).toBe(text);
      await console.close();
    }, 60_000);
  });

  describe('a rule file', () => {
    it('that is broken while the service runs shows on the overview, until it is mended', async () => {
      const file = join(room.stage.rules, 'stage', 'half-saved.rule.json');
      const errorsAre = (wanted: boolean) => (answer: unknown) => {
        const { findings } = (answer as { needsPerson: { findings: { error: number } | null } }).needsPerson;
        return (findings?.error ?? 0) > 0 === wanted;
      };
      const console = await room.chromium.open('viewer');
      const broken = console.page.locator('#content').getByText('errors in rule files');
      await console.go('/');
      expect(await broken.count()).toBe(0);
      writeFileSync(file, '{ "name": "half-saved", ');
      try {
        await room.stage.until('/overview', errorsAre(true));
        await console.go('/');
        await broken.first().waitFor();
      } finally {
        rmSync(file);
      }
      await room.stage.until('/overview', errorsAre(false));
      await console.go('/');
      expect(await broken.count()).toBe(0);
      await console.close();
    }, 90_000);
  });
}
