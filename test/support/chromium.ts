import { existsSync } from 'node:fs';
import { describe } from '@jest/globals';
import { type Browser, type BrowserContext, chromium, type Page, type Response } from 'playwright-core';
import { PASSWORD, type Role, type Stage } from './stage.js';

/** Debian's, or any other that is named; null: there is none. */
const executablePath =
  [process.env['CHROMIUM'] ?? '/usr/bin/chromium'].find((path) => existsSync(path)) ?? null;

/** As `describe`. Without a browser the tests are skipped, and say so. */
export function describeInBrowser(name: string, tests: () => void): void {
  if (executablePath !== null) {
    describe(name, tests);
    return;
  }
  process.stderr.write(`skipped, for there is no Chromium (CHROMIUM names one): ${name}\n`);
  describe.skip(name, tests);
}

export type Language = 'zh' | 'en';
export type Scheme = 'light' | 'dark';
export const VIEWPORTS = {
  laptop: { width: 1366, height: 800 },
  phone: { width: 390, height: 844 },
} as const;

export interface Look {
  readonly language?: Language;
  readonly scheme?: Scheme;
  readonly device?: keyof typeof VIEWPORTS;
}

/** What nobody sees tells the test: it runs before anything of the page, and the page's policy stays as it is. */
const WATCH = `document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) =>
  console.error('CSP', violatedDirective, blockedURI, sample));`;

/** How long anything may take before the test says that it does not come. */
const PATIENCE_MS = 40_000;
const STILL_FETCHED = '[aria-busy="true"], .mantine-Skeleton-root, .mantine-Loader-root';

/** A browser that opens the console of a stage, and keeps whatever goes wrong in it. */
export class Chromium {
  /** Nothing but this is wrong: console errors, page errors, CSP, dialogs, other windows, requests elsewhere, refusals. */
  private problems: string[] = [];
  private readonly allowed = new Set<string>();
  private readonly contexts = new Map<string, BrowserContext>();

  private constructor(
    private readonly browser: Browser,
    private readonly stage: Stage,
  ) {}

  static async start(stage: Stage): Promise<Chromium> {
    const args = ['--disable-gpu', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])];
    const browser = await chromium.launch({ executablePath: executablePath ?? '', args });
    return new Chromium(browser, stage);
  }

  /**
   * A page that shows nothing yet. `role`: who is signed in there already; they share what a browser keeps with others of
   * the same role and look. Without one it is a stranger's.
   */
  async open(role: Role | null, look: Look = {}): Promise<ConsolePage> {
    const key = JSON.stringify([role, look]);
    const context =
      (role === null ? undefined : this.contexts.get(key)) ?? (await this.newContext(role, look));
    if (role !== null) this.contexts.set(key, context);
    const page = await context.newPage();
    this.watch(page);
    return new ConsolePage(page, `${this.stage.url}/console`);
  }

  /** Likewise, of somebody who shares nothing: what is changed there is seen by no other test. */
  async openAlone(role: Role, look: Look = {}): Promise<ConsolePage> {
    const page = await (await this.newContext(role, look)).newPage();
    this.watch(page);
    return new ConsolePage(page, `${this.stage.url}/console`);
  }

  /** Refusals that a test provokes: `403 /deliveries/…` with the path below `/api/v1`. */
  allow(...refusals: readonly string[]): void {
    for (const refusal of refusals) this.allowed.add(refusal);
  }

  /** What went wrong since it was asked for last. */
  takeProblems(): string[] {
    const { problems } = this;
    this.problems = [];
    this.allowed.clear();
    return problems;
  }

  async close(): Promise<void> {
    await this.browser.close();
  }

  private async newContext(role: Role | null, look: Look): Promise<BrowserContext> {
    const { language = 'en', scheme = 'light', device = 'laptop' } = look;
    const context = await this.browser.newContext({
      viewport: VIEWPORTS[device],
      colorScheme: scheme,
      locale: language === 'zh' ? 'zh-CN' : 'en-GB',
      timezoneId: 'Asia/Shanghai',
      reducedMotion: 'reduce',
    });
    context.setDefaultTimeout(PATIENCE_MS);
    await context.addInitScript(WATCH);
    if (role === null) return context;
    const answer = await context.request.post(`${this.stage.url}/api/v1/login`, {
      headers: { origin: this.stage.url },
      data: { name: role, password: PASSWORD },
    });
    if (!answer.ok()) throw new Error(`${role} cannot sign in: ${answer.status()}`);
    return context;
  }

  private watch(page: Page): void {
    const api = `${this.stage.url}/api/v1`;
    const tell = (problem: string): void => {
      this.problems.push(`${problem} (${page.url()})`);
    };
    page.on('popup', (other) => {
      tell(`another window: ${other.url()}`);
    });
    page.on('console', (message) => {
      // Of an answer that is refused; `response` looks at those.
      const isAnswer =
        message.text().startsWith('Failed to load resource') && message.location().url.startsWith(api);
      if (message.type() === 'error' && !isAnswer) tell(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => {
      tell(`page error: ${error.stack ?? error.message}`);
    });
    page.on('dialog', (dialog) => {
      tell(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(`${this.stage.url}/`) && !/^(?:data|blob|about):/.test(url))
        tell(`request elsewhere: ${url}`);
    });
    page.on('response', (response: Response) => {
      // 503 says "in a moment": the console asks again, and what never comes is missed by the test itself.
      if (response.status() < 400 || response.status() === 503) return;
      const path = response.url().replace(api, '').replace(/\?.*/, '');
      const refusal = `${response.status()} ${path}`;
      // Whether somebody is signed in is found out by asking.
      if (refusal !== '401 /session' && !this.allowed.has(refusal)) tell(`answer: ${refusal}`);
    });
  }
}

/** The console in a browser. */
export class ConsolePage {
  constructor(
    readonly page: Page,
    private readonly base: string,
  ) {}

  /** Opens a page of the console by its path and waits until it is there. */
  async go(path: string): Promise<void> {
    await this.page.goto(this.base + path);
    await this.settled();
  }

  /** Likewise from a page of the console that is open already, as a link does: nothing is loaded again. */
  async visit(path: string): Promise<void> {
    const address = JSON.stringify(this.base + path);
    await this.page.evaluate(`(async () => {
      history.pushState(null, '', ${address});
      await new Promise(requestAnimationFrame);
      await new Promise(requestAnimationFrame);
    })()`);
    await this.settled();
  }

  /** Until the page has its heading and nothing that stands for what is still fetched; it looks frame by frame. */
  async settled(): Promise<void> {
    await this.page.evaluate(`(async () => {
      const until = performance.now() + ${PATIENCE_MS};
      while (!document.querySelector('#content h1') || document.querySelector('${STILL_FETCHED}')) {
        if (performance.now() > until) throw new Error(location.pathname + ' has not come to rest');
        await new Promise(requestAnimationFrame);
      }
    })()`);
  }

  /** Fills in the form of signing in and sends it, by the keyboard. */
  async signIn(name: string, password = PASSWORD): Promise<void> {
    await this.page.locator('input[autocomplete="username"]').fill(name);
    await this.page.locator('input[autocomplete="current-password"]').fill(password);
    await this.page.keyboard.press('Enter');
  }

  /** What the page is called. */
  async heading(): Promise<string> {
    return await this.page.locator('#content h1').innerText();
  }

  /** What the page shows. */
  async text(): Promise<string> {
    return await this.page.locator('#content').innerText();
  }

  /** What makes the page wider than the screen, once it stands still: what changes its place has a second. */
  async sticksOut(): Promise<readonly string[]> {
    return await this.page.evaluate<string[]>(`(async () => {
      const { documentElement: page } = document;
      const isWider = () => page.scrollWidth > page.clientWidth;
      for (let frames = 0; frames < 60 && isWider(); frames += 1) await new Promise(requestAnimationFrame);
      if (!isWider()) return [];
      return [...document.querySelectorAll('body *')]
        .filter((one) => one.getBoundingClientRect().right > page.clientWidth + 0.5)
        .map((one) => one.outerHTML.slice(0, 160));
    })()`);
  }

  async close(): Promise<void> {
    await this.page.close();
  }
}
