// Pictures of every page, in both languages, light and dark, on a laptop and a phone: to look at before anything is said
// to be done.   npm run screenshots -- <folder> [--only <part of a name>]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { progressOn } from '../dist/cli/progress.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string', default: '' } },
});
const [folder] = positionals;
if (folder === undefined) {
  console.error('Say where to: npm run screenshots -- <folder>');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });

const LANGUAGES = { en: 'en-GB', zh: 'zh-CN' };
const SCHEMES = ['light', 'dark'];
const DEVICES = { laptop: { width: 1366, height: 800 }, phone: { width: 390, height: 844 } };
/** A page that is longer is shown so far. */
const MAX_HEIGHT = 3000;

const stage = spawn(process.execPath, [join(import.meta.dirname, 'stage.mjs')], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const { value: line } = await createInterface({ input: stage.stdout })[Symbol.asyncIterator]().next();
if (line === undefined) throw new Error('the stage did not start');
const { url, users, password, process: shownProcess } = JSON.parse(line);

async function open(browser, role, look) {
  const context = await browser.newContext({
    viewport: DEVICES[look.device],
    colorScheme: look.scheme,
    locale: LANGUAGES[look.language],
    timezoneId: 'Asia/Shanghai',
    reducedMotion: 'reduce',
  });
  if (role !== null) {
    const answer = await context.request.post(`${url}/api/v1/login`, {
      headers: { origin: url },
      data: { name: role, password },
    });
    if (!answer.ok()) throw new Error(`${role} cannot sign in`);
  }
  return context.newPage();
}

async function settled(page) {
  await page.locator('h1').first().waitFor();
  const waits = page.locator('[aria-busy="true"], .mantine-Skeleton-root, .mantine-Loader-root');
  await waits.first().waitFor({ state: 'detached' });
  await page.evaluate('document.fonts.ready.then(() => undefined)');
}

/** In the language that is looked at: its button. */
const button = (page, { language }, en, zh) =>
  page.getByRole('button', { name: language === 'en' ? en : zh, exact: true });

/** Names of pictures, where they are, and what is done there first. */
async function shotsOf(context) {
  const first = async (path) =>
    (await (await context.request.get(`${url}/api/v1${path}`)).json()).items[0].id;
  const dead = await first('/deliveries?state=dead&limit=1');
  const mail = await first('/deliveries?rule=welcome-sent&state=delivered&limit=1');
  const event = await first('/events?text=renewal_record&verdict=matched&limit=1');
  const missed = await first('/events?text=offboarding&verdict=not%20matched&limit=1');
  const click =
    (en, zh, nth = 0) =>
    async (page, look) => {
      await button(page, look, en, zh).nth(nth).click();
      await page.getByRole('dialog').waitFor();
    };
  return [
    ['login', null],
    ['overview', '/'],
    ['attention', '/attention'],
    ['events', '/events'],
    ['events-live', '/events?live=1'],
    ['event', `/events/${event}`],
    ['event-near-miss', `/events/${missed}`],
    ['event-case', `/events/${event}`, click('Make a case', '生成用例')],
    ['process', `/processes/${encodeURIComponent(shownProcess)}`],
    ['deliveries', '/deliveries'],
    ['deliveries-dead', '/deliveries?state=dead'],
    ['deliveries-bulk', '/deliveries?state=dead', click('Redrive …', '重投 …')],
    ['delivery-dead', `/deliveries/${dead}`],
    ['delivery-mail', `/deliveries/${mail}`],
    ['rules', '/rules'],
    ['rule', '/rules/renewal-done'],
    ['rule-versions', '/rules/late-offer?tab=versions'],
    ...['file', 'history', 'cases'].map((tab) => [`rule-${tab}`, `/rules/renewal-done?tab=${tab}`]),
    ['rule-escalation', '/rules/renewal-unanswered'],
    ['rule-sets', '/rule-sets'],
    ['try', '/try'],
    [
      'try-results',
      '/try?rule=approval-rejected',
      async (page, look) => {
        const file = new URL('../rules/corehr/approval-rejected.rule.json', import.meta.url);
        const text = readFileSync(file, 'utf8').replace('"value": 2 }', '"value": 3 }');
        await page.locator('.cm-content').first().fill(text);
        await button(page, look, 'Try it', '试运行').click();
        await page
          .getByRole('heading', { name: look.language === 'en' ? 'Event by event' : '逐个事件' })
          .waitFor();
      },
    ],
    ['timers', '/timers'],
    ['silences', '/silences'],
    ['silence-form', '/silences', click('New silence', '新建静默')],
    ['targets', '/targets'],
    ['tokens', '/tokens'],
    ['token-form', '/tokens', click('New token', '新建令牌')],
    ['users', '/users'],
    ['audit', '/audit'],
    ['keys', '/', (page) => page.keyboard.press('?')],
    ['not-found', '/nowhere'],
  ].filter(([name]) => name.includes(values.only));
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
const progress = progressOn(process.stderr, { doing: 'taking', done: 'taken', what: 'pictures' });
let wrong = 0;
try {
  const looks = Object.keys(LANGUAGES).flatMap((language) =>
    SCHEMES.flatMap((scheme) => Object.keys(DEVICES).map((device) => ({ language, scheme, device }))),
  );
  let done = 0;
  for (const look of looks) {
    const page = await open(browser, users.at(-1), look);
    const stranger = await open(browser, null, look);
    const shots = await shotsOf(page.context());
    for (const [name, path, act] of shots) {
      const on = path === null ? stranger : page;
      const file = `${name}.${look.language}.${look.scheme}.${look.device}.png`;
      try {
        await on.setViewportSize(DEVICES[look.device]);
        await on.goto(`${url}/console${path ?? '/'}`);
        if (path === '/nowhere') await on.locator('#content').waitFor();
        else await settled(on);
        if (act) {
          await act(on, look);
          await settled(on);
        }
        // The page itself is made as high as it is: what sticks to an edge would stand in its midst else.
        const height = await on.evaluate('document.documentElement.scrollHeight');
        const dialog = (await on.getByRole('dialog').count()) > 0;
        if (!dialog && height > DEVICES[look.device].height)
          await on.setViewportSize({
            width: DEVICES[look.device].width,
            height: Math.min(height, MAX_HEIGHT),
          });
        await on.screenshot({ path: join(folder, file) });
      } catch (error) {
        wrong += 1;
        progress.say(`${file}: ${error.message.split('\n')[0]}`);
      }
      progress.step((done += 1), looks.length * shots.length);
    }
    await page.context().close();
    await stranger.context().close();
  }
} finally {
  progress.end();
  await browser.close();
  stage.kill('SIGTERM');
  await once(stage, 'exit');
}
process.exitCode = wrong === 0 ? 0 : 1;
