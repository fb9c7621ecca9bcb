import {
  createServer as createHttp,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { Browser } from './browser.js';

/** What the provider tells of a person, besides `sub`. */
export type PersonClaims = Readonly<Record<string, unknown>>;

interface Provider {
  callback(): Parameters<typeof createHttp>[1];
  on(event: string, listener: (...parts: unknown[]) => void): void;
}
interface ProviderClass {
  new (issuer: string, configuration: unknown): Provider;
}

/** It has no types. */
const PROVIDER: string = 'oidc-provider';

export const CLIENT = { id: 'aftersign', secret: 'a secret of thirty-two characters' };

/** The real `oidc-provider` on this machine. People sign in with any password. */
export class TestIssuer {
  /** By login; read at each sign-in. */
  readonly people = new Map<string, PersonClaims>();
  /** Called with each request, before the provider sees it; true: it was answered. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | null = null;

  private constructor(
    readonly url: string,
    private readonly server: Server,
  ) {}

  static async start(options: {
    readonly redirectUri: string;
    readonly tls?: { readonly cert: string; readonly key: string };
    /** Whether the claims stand in the ID token, or are told only when asked. */
    readonly inIdToken?: boolean;
    readonly auth?: 'client_secret_basic' | 'client_secret_post' | 'none';
  }): Promise<TestIssuer> {
    const { redirectUri, tls, inIdToken = false, auth = 'client_secret_basic' } = options;
    const server = tls ? createHttps(tls) : createHttp();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    const issuer = new TestIssuer(tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`, server);
    const { default: OidcProvider } = (await import(PROVIDER)) as { default: ProviderClass };
    const provider = new OidcProvider(issuer.url, {
      clients: [
        {
          client_id: CLIENT.id,
          ...(auth === 'none' ? {} : { client_secret: CLIENT.secret }),
          token_endpoint_auth_method: auth,
          redirect_uris: [redirectUri],
        },
      ],
      clientAuthMethods: [auth],
      cookies: { keys: ['of the test'] },
      claims: { profile: ['preferred_username', 'groups', 'realm_access'], email: ['email'] },
      conformIdTokenClaims: !inIdToken,
      findAccount: (_: unknown, id: string) => ({
        accountId: id,
        claims: () => ({ sub: id, ...issuer.people.get(id) }),
      }),
    });
    const answer = provider.callback();
    server.on('request', (request, response) => {
      if (issuer.intercept?.(request, response) !== true) answer?.(request, response);
    });
    return issuer;
  }

  /** From the address that the service gave to the one that leads back to it, as a person would go. */
  async signIn(start: string, login: string): Promise<string> {
    const browser = new Browser(this.url);
    let at = start;
    for (let step = 0; step < 12; step += 1) {
      const url = new URL(at, this.url);
      if (url.origin !== this.url) return url.href;
      const prompt = /^\/interaction\/[^/]+$/.exec(url.pathname) ? await this.promptOf(browser, url) : null;
      const answer =
        prompt === null ? await browser.ask('GET', url.href) : await this.submit(browser, url, prompt, login);
      const next = answer.headers.get('location');
      if (next === null) throw new Error(`The provider answers ${answer.status}: ${String(answer.body)}`);
      at = next;
    }
    throw new Error('The provider does not come to an end.');
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => {
      this.server.close(resolve);
    });
  }

  private async promptOf(browser: Browser, url: URL): Promise<string> {
    const { body } = await browser.ask('GET', url.href);
    return /name="prompt" value="(\w+)"/.exec(String(body))?.[1] ?? '';
  }

  private async submit(browser: Browser, url: URL, prompt: string, login: string) {
    const answer = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie: browser.cookieHeader() },
      body: new URLSearchParams(prompt === 'login' ? { prompt, login, password: 'any' } : { prompt }),
    });
    browser.keep(answer.headers);
    return { status: answer.status, headers: answer.headers, body: await answer.text() };
  }
}

/** A port that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}
