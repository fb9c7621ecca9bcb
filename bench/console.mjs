// How long each page of the console takes until it can be used, over a database as it is after a month: rows are there,
// the chart is drawn. In a real Chromium, signed in; beside it a page of the same service that asks for nothing.
//   npm run bench:console [-- --events 1000000 --rounds 5 --data <folder> --json]
// `click`: from a click in the menu or on a row. `open`: from an address, with the files in the browser's cache.
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { openApiDatabase } from './api-database.mjs';
import { endChildren, freePort, median, note, startChild } from './pushes.mjs';

const GOAL_MS = 1000;

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    data: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const ROUNDS = Number(values.rounds);

const STILL_FETCHED =
  '#content [aria-busy="true"], #content .mantine-Skeleton-root, #content .mantine-Loader-root';
const TIMEOUT_MS = 60_000;

/**
 * Until the page has the heading (null: any) and nothing that stands for what is still fetched. Looked at by the page
 * itself, frame by frame: a locator of Playwright looks after 0, 20, 50, 100, 100 and then each 500 ms, and would tell
 * those.
 */
const usable = (heading) => `(async () => {
  const heading = ${JSON.stringify(heading)};
  const until = performance.now() + ${TIMEOUT_MS};
  for (;;) {
    const title = document.querySelector('#content h1');
    if (title && (heading === null || title.textContent.includes(heading)) &&
      !document.querySelector(${JSON.stringify(STILL_FETCHED)})) return;
    if (performance.now() > until) throw new Error(location.pathname + ' cannot be used yet');
    await new Promise(requestAnimationFrame);
  }
})()`;

/** Milliseconds until the page that `go` leads to can be used. */
async function timed(page, heading, go) {
  const started = performance.now();
  await go();
  await page.evaluate(usable(heading));
  return performance.now() - started;
}

function figures(times) {
  return { p50: Math.round(median(times)), worst: Math.round(Math.max(...times)) };
}

async function measure(page, base, { name, path, heading, from, click }) {
  const open = [];
  const clicked = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    open.push(await timed(page, heading, () => page.goto(base + path)));
    if (click === undefined) continue;
    await timed(page, null, () => page.goto(base + from));
    clicked.push(await timed(page, heading, () => click(page).click()));
  }
  return { name, open: figures(open), ...(clicked.length === 0 ? {} : { click: figures(clicked) }) };
}

const menu = (name) => (page) => page.getByRole('navigation').getByRole('link', { name, exact: true });
const firstRow = (page) => page.locator('#content tbody tr').first();
const MENU = [
  ['Overview', '/'],
  ['For a person', '/attention'],
  ['Events', '/events'],
  ['Deliveries', '/deliveries'],
  ['Rules', '/rules'],
  ['Try pad', '/try'],
  ['Timers', '/timers'],
  ['Silences', '/silences'],
  ['Targets', '/targets'],
  ['Tokens', '/tokens'],
  ['Users', '/users'],
  ['Audit', '/audit'],
];

/** The pages of the menu by their names, and those behind a row. */
async function pagesOf(api) {
  const [event] = (await api('/events?verdict=matched&limit=1')).items;
  const [delivery] = (await api('/deliveries?state=dead&limit=1')).items;
  return [
    ...MENU.map(([heading, path]) => ({
      name: heading.toLowerCase(),
      path,
      heading,
      from: path === '/tokens' ? '/timers' : '/tokens',
      click: menu(heading),
    })),
    { name: 'one event', path: `/events/${event.id}`, heading: null, from: '/events', click: firstRow },
    { name: 'events found', path: '/events?text=renewal_record&verdict=error', heading: 'Events' },
    { name: 'one process', path: `/processes/${encodeURIComponent(event.rootEntity)}`, heading: null },
    {
      name: 'one delivery',
      path: `/deliveries/${delivery.id}`,
      heading: null,
      from: '/deliveries',
      click: firstRow,
    },
    { name: 'dead deliveries', path: '/deliveries?state=dead', heading: 'Deliveries' },
    { name: 'one rule', path: '/rules/rule-1', heading: 'rule-1' },
    { name: 'one rule, history', path: '/rules/rule-1?tab=history', heading: 'rule-1' },
    { name: 'one rule, versions', path: '/rules/rule-1?tab=versions', heading: 'rule-1' },
    { name: 'rule sets', path: '/rule-sets', heading: null },
  ];
}

const rows = [];
let bare;
let browser;
const database = await openApiDatabase({ data: values.data, events: Number(values.events) });
const { folder, dataSource, login, events } = database;
try {
  await dataSource.destroy();
  const port = await freePort();
  const settings = { PORT: String(port), DATA_DIR: folder, ROLE: 'console' };
  const { url } = await startChild(['dist/main.js'], settings, port, '/health/ready');
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  const context = await browser.newContext({ viewport: { width: 1366, height: 800 }, locale: 'en-GB' });
  const { name, password, token } = login;
  const answer = await context.request.post(`${url}/api/v1/login`, {
    headers: { origin: url },
    data: { name, password },
  });
  if (!answer.ok()) throw new Error(`sign in: ${answer.status()}`);
  const page = await context.newPage();
  const api = async (path) =>
    (await fetch(`${url}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } })).json();
  const base = `${url}/console`;
  // No page of the console, and so nothing that is asked: the shell alone.
  const shell = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const started = performance.now();
    await page.goto(`${base}/nowhere`);
    await page.locator('#content').getByText('There is no such page.').waitFor();
    shell.push(performance.now() - started);
  }
  bare = figures(shell);
  for (const one of await pagesOf(api)) {
    const row = await measure(page, base, one);
    const click = row.click ? `, click ${row.click.p50} ms, worst ${row.click.worst} ms` : '';
    note(`${row.name.padEnd(20)} open ${row.open.p50} ms, worst ${row.open.worst} ms${click}`);
    rows.push(row);
  }
} finally {
  await browser?.close();
  await endChildren();
  await database.close();
}

// What people wait for is a click; a page that no row or menu leads to is opened by its address.
const waited = ({ open, click = open }) => click;
const slowest = rows.reduce((a, b) => (waited(b).p50 > waited(a).p50 ? b : a));
const report = {
  bench: 'console',
  machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.versions.node },
  events,
  rows,
  bare,
  ratios: {
    'slowest page/1 s': Number((waited(slowest).p50 / GOAL_MS).toFixed(3)),
    'slowest page/shell alone': Number((waited(slowest).p50 / bare.p50).toFixed(3)),
  },
};
if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
else {
  for (const row of [...rows].sort((a, b) => waited(b).p50 - waited(a).p50)) {
    const { p50, worst } = waited(row);
    const bar = '█'.repeat(Math.max(1, Math.round((p50 / GOAL_MS) * 40)));
    console.log(`${row.name.padEnd(20)} ${bar} ${p50} ms (worst ${worst} ms)`);
  }
  console.log(
    `slowest ${waited(slowest).p50} ms (${slowest.name}) over ${events} events; the shell alone, from an address, ${bare.p50} ms (to reach: ${GOAL_MS} ms)`,
  );
}
