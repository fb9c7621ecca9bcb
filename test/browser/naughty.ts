// Naughty strings in every text of genuine events: whatever shows them runs nothing, fetches nothing, breaks nothing.
import { describe, expect, it } from '@jest/globals';
import { type ConsolePage, VIEWPORTS } from '../support/chromium.js';
import { CORPUS, pushNaughty } from '../support/naughty-events.js';
import type { Room } from '../support/room.js';
import { SeededRandom } from '../support/seeded-random.js';

/** Of the corpus, and of the pages of single events and deliveries: `npm run naughty` takes all. */
const SHARE = Number(process.env['NAUGHTY_SHARE'] ?? 0.15);
const SEED = Number(process.env['NAUGHTY_SEED'] ?? Date.now() % 1_000_000);
const PAGES = SHARE === 1 ? Infinity : 1;

interface Found {
  readonly items: readonly { readonly id: string; readonly rootEntity?: string; readonly kind?: string }[];
  readonly next: string | null;
}

/** Nothing ran, the page is whole, and no wider than the screen: on a laptop and on a phone. */
async function isWhole(console: ConsolePage, path: string): Promise<void> {
  for (const device of ['laptop', 'phone'] as const) {
    await console.page.setViewportSize(VIEWPORTS[device]);
    await console.settled();
    const looks = {
      path,
      device,
      ran: await console.page.evaluate<unknown>('window.ran ?? null'),
      crashed: await console.page
        .locator('#content [role="alert"]', { hasText: 'This did not work' })
        .count(),
      sticksOut: await console.sticksOut(),
    };
    expect(looks).toEqual({ path, device, ran: null, crashed: 0, sticksOut: [] });
  }
  await console.page.setViewportSize(VIEWPORTS.laptop);
}

export function naughty(room: Room): void {
  describe(`naughty strings (NAUGHTY_SEED=${SEED})`, () => {
    it(
      'in every text of events run nothing and break no page',
      async () => {
        const { stage, chromium } = room;
        const random = new SeededRandom(SEED);
        const strings = SHARE === 1 ? CORPUS : random.some(CORPUS, Math.ceil(CORPUS.length * SHARE));
        expect(await pushNaughty(stage, strings)).toBeGreaterThan(strings.length / 4);
        await stage.until('/events?state=undecided&limit=1', (page) => (page as Found).items.length === 0);

        const api = await stage.as('admin');
        const all = async (list: string): Promise<Found['items']> => {
          const items: Found['items'][number][] = [];
          let cursor: string | null = null;
          do {
            const from: string = cursor === null ? '' : `&cursor=${cursor}`;
            const page = (await api.ask('GET', `/api/v1${list}?limit=200${from}`)).body as Found;
            items.push(...page.items);
            cursor = page.next;
          } while (cursor !== null);
          return items;
        };
        const some = <T>(rows: readonly T[]): readonly T[] => random.some(rows, Math.min(rows.length, PAGES));
        const events = await all('/events');
        const deliveries = await all('/deliveries');
        const kinds = [...new Set(deliveries.map(({ kind }) => kind))];
        const entities = [...new Set(events.map(({ rootEntity }) => rootEntity ?? ''))].filter((one) =>
          strings.some((text) => text !== '' && one === `process:${text}`),
        );
        expect(entities.length).toBeGreaterThan(0);
        const paths = [
          '/events',
          '/deliveries',
          '/',
          '/attention',
          '/timers',
          '/targets',
          '/try?rule=approval-rejected',
          ...some(events).map(({ id }) => `/events/${id}`),
          ...some(entities).map((entity) => `/processes/${encodeURIComponent(entity)}`),
          ...kinds.flatMap((kind) =>
            some(deliveries.filter((one) => one.kind === kind)).map(({ id }) => `/deliveries/${id}`),
          ),
          ...some(strings).map(
            (text) => `/events?text=${encodeURIComponent(text.slice(0, 400).toWellFormed())}`,
          ),
        ];
        // What one has typed is refused here and there, and the page says so.
        chromium.allow('400 /events');
        const console = await chromium.open('admin');
        await console.go('/');
        for (const path of paths) {
          await console.visit(path);
          if (path.startsWith('/try')) {
            await console.page.getByRole('button', { name: 'Try it' }).click();
            await console.page.getByRole('heading', { name: 'Event by event' }).waitFor();
          }
          if (!path.includes('?text=')) await isWhole(console, path);
        }
        await console.close();
      },
      SHARE === 1 ? 3_600_000 : 180_000,
    );
  });
}
