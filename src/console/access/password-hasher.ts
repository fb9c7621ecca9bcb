import { randomBytes, scrypt, type ScryptOptions, timingSafeEqual } from 'node:crypto';
import { Refusal } from '../../config/problem.js';
import { normalPassword } from './password.schema.js';

const KEY_BYTES = 32;
const SALT_BYTES = 16;
/** 32 MiB and some 0.2 s of one core each. */
const COST = { N: 2 ** 15, r: 8, p: 3 } as const;
/** scrypt runs on the threads that files are read with, four of them: the others stay free for whoever takes events. */
const AT_ONCE = 2;
const WAITING = 16;

const STORED = /^scrypt\$N=(\d+),r=(\d+),p=(\d+)\$([A-Za-z0-9_-]+)\$([A-Za-z0-9_-]+)$/;
/** What a password is compared with where there is none: that takes as long and fits nothing. */
const NOBODYS = stored(Buffer.alloc(SALT_BYTES), Buffer.alloc(KEY_BYTES));

/** Hashes passwords, two at once: however many people sign in, the process goes on with its work. */
export class PasswordHasher {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  /**
   * The text to store: it names its parameters, so that later ones may be others.
   *
   * @throws Refusal 503 LOGIN_BUSY
   */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    return stored(salt, await this.derive(password, salt, KEY_BYTES, COST));
  }

  /**
   * Whether it is the password. `text` null: there is none, and finding that out takes as long.
   *
   * @throws Refusal 503 LOGIN_BUSY
   */
  async fits(password: string, text: string | null): Promise<boolean> {
    const [, N, r, p, salt = '', key = ''] = STORED.exec(text ?? NOBODYS) ?? [];
    const wanted = Buffer.from(key, 'base64url');
    if (wanted.length === 0) throw new Error('A stored password is damaged: set it anew.');
    const cost = { N: Number(N), r: Number(r), p: Number(p) };
    const derived = await this.derive(password, Buffer.from(salt, 'base64url'), wanted.length, cost);
    return timingSafeEqual(derived, wanted) && text !== null;
  }

  private async derive(password: string, salt: Buffer, bytes: number, cost: ScryptOptions): Promise<Buffer> {
    await this.turn();
    try {
      const { N = 0, r = 0 } = cost;
      return await new Promise<Buffer>((resolve, reject) => {
        scrypt(normalPassword(password), salt, bytes, { ...cost, maxmem: 2 * 128 * N * r }, (error, key) => {
          if (error) reject(error);
          else resolve(key);
        });
      });
    } finally {
      const next = this.waiting.shift();
      // The turn is handed on: nobody else can take it in between.
      if (next) next();
      else this.running -= 1;
    }
  }

  private async turn(): Promise<void> {
    if (this.running < AT_ONCE) {
      this.running += 1;
      return;
    }
    if (this.waiting.length >= WAITING)
      throw new Refusal(503, 'LOGIN_BUSY', 'Too many people are signing in: try again in a moment.', {
        headers: { 'retry-after': '2' },
      });
    await new Promise<void>((resolve) => {
      this.waiting.push(resolve);
    });
  }
}

function stored(salt: Buffer, key: Buffer): string {
  const { N, r, p } = COST;
  return `scrypt$N=${N},r=${r},p=${p}$${salt.toString('base64url')}$${key.toString('base64url')}`;
}
