import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import type { FakeFeishu, PushOptions } from './fake-feishu.js';
import { addressOf, objectIn, readBody, send } from './http-answer.js';
import { SAMPLE_APP, type SampleApprovals } from './sample-approvals.js';

const FOLDER = join(import.meta.dirname, 'page');
const FILES: Readonly<Record<string, { readonly file: string; readonly type: string }>> = {
  '/': { file: 'page.html', type: 'text/html' },
  '/_fake/page.css': { file: 'page.css', type: 'text/css' },
  '/_fake/page-script.js': { file: 'page-script.js', type: 'text/javascript' },
};
const SECURITY = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};
/** So many of the newest of each list are shown. */
const SHOWN = 30;
/** While calls are throttled, callers are told to wait up to so long. */
const THROTTLED = { max: 0, perMs: 10_000 };

const order = z.discriminatedUnion('do', [
  z.strictObject({
    do: z.literal('push'),
    status: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal('1-3')]),
    via: z.enum(['long-connection', 'webhook', 'both']),
    duplicates: z.int().min(0).max(20),
    fragments: z.int().min(1).max(20),
  }),
  z.strictObject({ do: z.literal('drop'), how: z.enum(['close', 'terminate', 'half-open']) }),
  z.strictObject({ do: z.literal('throttle'), on: z.boolean() }),
  z.strictObject({ do: z.literal('refuse-next-discovery') }),
]);
type Order = z.infer<typeof order>;

/** The page of `aftersign fake-feishu`, and what it shows as JSON under `/_fake/`. */
export class FakePage {
  private readonly usualLimits: FakeFeishu['limits'];
  private throttled = false;

  constructor(
    private readonly fake: FakeFeishu,
    private readonly approvals: SampleApprovals,
  ) {
    this.usualLimits = new Map(fake.limits);
  }

  /** Answers what belongs to the page: true when it did. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const { pathname } = addressOf(request);
    const { method } = request;
    // A page of another origin that names itself like this machine must not read or press anything here.
    if (!this.isOwnHost(request)) {
      send(response, { status: 403, body: { error: 'unknown host' }, headers: SECURITY });
      return true;
    }
    const file = FILES[pathname];
    if (method === 'GET' && file) {
      response.writeHead(200, { ...SECURITY, 'content-type': `${file.type}; charset=utf-8` });
      response.end(readFileSync(join(FOLDER, file.file)));
      return true;
    }
    if (method === 'GET' && pathname === '/_fake/state') {
      send(response, { status: 200, body: this.state(), headers: SECURITY });
      return true;
    }
    if (method === 'POST' && pathname === '/_fake/do') {
      await this.obey(request, response);
      return true;
    }
    return false;
  }

  private isOwnHost({ headers }: IncomingMessage): boolean {
    const { port } = new URL(this.fake.url);
    const own = [`127.0.0.1:${port}`, `localhost:${port}`];
    const { host = '', origin } = headers;
    return own.includes(host) && (origin === undefined || origin === `http://${host}`);
  }

  private async obey(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = await readBody(request);
    // A form of another page cannot send this type.
    const isJson = request.headers['content-type']?.startsWith('application/json') ?? false;
    const { data } = order.safeParse(isJson && raw ? objectIn(raw) : null);
    if (!data) {
      send(response, { status: 400, body: { error: 'no order that is known' }, headers: SECURITY });
      return;
    }
    const error = this.carryOut(data);
    send(response, {
      status: error === null ? 200 : 409,
      body: error === null ? { done: true } : { error },
      headers: SECURITY,
    });
  }

  /** Answers what is in the way, in Chinese and English, or null. */
  private carryOut(wanted: Order): string | null {
    switch (wanted.do) {
      case 'push': {
        const { status, via, duplicates, fragments } = wanted;
        if (via !== 'long-connection' && !this.fake.hasWebhook(SAMPLE_APP.appId))
          return '没有 webhook：启动时加 --webhook URL / no webhook: start with --webhook URL';
        return this.push(status, { via, duplicates, fragments, reorder: fragments > 1 });
      }
      case 'drop':
        return this.fake.drop(SAMPLE_APP.appId, wanted.how) === 0 ? '没有连接 / nobody is connected' : null;
      case 'throttle':
        this.throttled = wanted.on;
        for (const [api, limit] of this.usualLimits) this.fake.limits.set(api, wanted.on ? THROTTLED : limit);
        return null;
      case 'refuse-next-discovery':
        this.fake.faults.endpoint.push({ code: 514, data: 'empty', msg: 'auth failed' });
        return null;
    }
  }

  private push(status: 1 | 2 | 3 | '1-3', options: PushOptions): string | null {
    if (status === 1 || status === '1-3') this.approvals.begin(options);
    if (status === 1) return null;
    const pushed = this.approvals.end(status === '1-3' ? 3 : status, options);
    return pushed ? null : '没有待办：先推送“待办” / no task is waiting: push "to do" first';
  }

  private state(): object {
    const { fake } = this;
    return {
      url: fake.url,
      appId: SAMPLE_APP.appId,
      webhook: fake.hasWebhook(SAMPLE_APP.appId),
      throttled: this.throttled,
      discoveriesToRefuse: fake.faults.endpoint.length,
      connections: fake.connectionList(),
      pushes: { count: fake.records.length, newest: fake.records.slice(-SHOWN).reverse() },
      calls: { count: fake.calls.length, newest: fake.calls.slice(-SHOWN).reverse() },
      messages: { count: fake.messages.length, newest: fake.messages.slice(-SHOWN).reverse() },
      botMessages: { count: fake.botMessages.length, newest: fake.botMessages.slice(-SHOWN).reverse() },
    };
  }
}
