import { randomBytes } from 'node:crypto';
import type { FakeApp } from './apps.js';

const LIFE_MS = 7_200_000;
/** With less left than this, a new token is given out; the old one goes on. */
const RENEW_MS = 1_800_000;

interface Token {
  readonly text: string;
  readonly app: FakeApp;
  readonly expiresAt: number;
}

/** The tenant access tokens of all apps (feishu-events 4.1). */
export class Tokens {
  private readonly byText = new Map<string, Token>();
  private readonly newest = new Map<string, Token>();

  constructor(private readonly now: () => number) {}

  /** The app's token and how many seconds it has left. */
  give(app: FakeApp): { readonly token: string; readonly expire: number } {
    const now = this.now();
    const known = this.newest.get(app.appId);
    const token =
      known && known.expiresAt - now > RENEW_MS
        ? known
        : { text: `t-${randomBytes(20).toString('hex')}`, app, expiresAt: now + LIFE_MS };
    this.newest.set(app.appId, token);
    this.byText.set(token.text, token);
    return { token: token.text, expire: Math.floor((token.expiresAt - now) / 1000) };
  }

  /** Whose a request is, by its `Authorization` header; null: the token is none, or has expired. */
  appOf(authorization: string | undefined): FakeApp | null {
    const token = this.byText.get(authorization?.replace(/^Bearer /, '') ?? '');
    return token && token.expiresAt > this.now() ? token.app : null;
  }

  /** No token given out so far is good any more. */
  revoke(): void {
    this.byText.clear();
    this.newest.clear();
  }
}
