import type { DataSource } from 'typeorm';
import type { Clock } from '../../config/clock.js';
import { Refusal } from '../../config/problem.js';

const LONGEST_S = 15 * 60;
/** After an hour without a failure all is forgotten. */
const FORGOTTEN_MS = 3_600_000;
/** Wrong passwords that cost no waiting. */
const FREE = { address: 5, device: 5, name: 10, password: 5 } as const;
/** How many failures of one address count against the name. */
const COUNTED_PER_ADDRESS = 3;

/** Who tries to sign in. */
export interface LoginAttempt {
  readonly name: string;
  readonly address: string;
  /** The browser has signed in as this user before, and proves it: its id. Else null. */
  readonly device: string | null;
}

/** A failure that was counted before the password was looked at. */
export interface Charge {
  readonly key: string;
  readonly failures: number;
  readonly at: Date;
}

/**
 * Who guesses passwords waits, longer each time: 1, 2, 4 … seconds, at most 15 minutes; for all instances together.
 * An attempt is counted before its password is looked at, so that many at once are counted too, and given back when
 * the password was right.
 *
 * An address waits for its own failures. A name waits when many addresses fail with it, of each only the first three
 * failures: one stubborn guesser shuts out itself, not whose name it guesses with. A browser that has signed in as
 * the user before has a count of its own, which strangers cannot raise: neither by the name nor, behind a proxy,
 * by the address that all seem to have.
 */
export class LoginThrottle {
  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
  ) {}

  /** @throws Refusal 429 LOGIN_BLOCKED */
  async begin({ name, address, device }: LoginAttempt): Promise<readonly Charge[]> {
    if (device !== null) return [await this.charge(`device:${name}:${device}`, FREE.device)];
    const ofAddress = await this.charge(`address:${networkOf(address)}`, FREE.address);
    try {
      if (ofAddress.failures <= COUNTED_PER_ADDRESS)
        return [ofAddress, await this.charge(`name:${name}`, FREE.name)];
      await this.refuseBlocked(`name:${name}`);
    } catch (error) {
      await this.giveBack([ofAddress]);
      throw error;
    }
    return [ofAddress];
  }

  /** The same for whoever gives a current password in a session. @throws Refusal 429 LOGIN_BLOCKED */
  async beginPassword(userId: string): Promise<readonly Charge[]> {
    return [await this.charge(`password:${userId}`, FREE.password)];
  }

  /** It was no wrong password. */
  async giveBack(charges: readonly Charge[]): Promise<void> {
    for (const { key, failures, at } of charges)
      // When more has failed meanwhile, that block stands.
      await this.dataSource.query(
        `update login_failures set failures = failures - 1,
                blocked_until = case when failures = $2 then $3 else blocked_until end
          where key = $1 and failures > 0`,
        [key, failures, at],
      );
  }

  async removeForgotten(): Promise<void> {
    const now = this.clock.now();
    await this.dataSource.query('delete from login_failures where last_at < $1 and blocked_until < $2', [
      new Date(now - FORGOTTEN_MS),
      new Date(now),
    ]);
  }

  private async charge(key: string, free: number): Promise<Charge> {
    const at = new Date(this.clock.now());
    const rows = await this.dataSource.query<{ failures: number }[]>(
      `insert into login_failures as held (key, failures, last_at, blocked_until) values ($1, 1, $2, $2)
       on conflict (key) do update
          set failures = case when held.last_at < $3 then 1 else held.failures + 1 end,
              last_at = $2,
              blocked_until = case when held.last_at < $3 or held.failures < $4 then $2
                else $2::timestamptz + least($5, 2 ^ least(held.failures - $4, 30)) * interval '1 second' end
        where held.blocked_until <= $2
       returning failures`,
      [key, at, new Date(at.getTime() - FORGOTTEN_MS), free, LONGEST_S],
    );
    const [row] = rows;
    if (row) return { key, failures: row.failures, at };
    await this.refuseBlocked(key);
    // It ended this moment.
    return await this.charge(key, free);
  }

  private async refuseBlocked(key: string): Promise<void> {
    const now = this.clock.now();
    const [row] = await this.dataSource.query<{ until: Date }[]>(
      `select blocked_until as until from login_failures where key = $1 and blocked_until > $2`,
      [key, new Date(now)],
    );
    if (!row) return;
    const seconds = Math.max(1, Math.ceil((row.until.getTime() - now) / 1000));
    throw new Refusal(429, 'LOGIN_BLOCKED', `Too many wrong passwords: try again in ${seconds} s.`, {
      headers: { 'retry-after': String(seconds) },
    });
  }
}

/** Whoever has one IPv6 address has the 2^64 beside it. */
function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail = ''] = address.split('%')[0]?.split('::') ?? [];
  const groups = head.split(':').filter((group) => group !== '');
  const behind = tail.split(':').filter((group) => group !== '');
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - behind.length) }, () => '0');
  return `${[...groups, ...zeros, ...behind].slice(0, 4).join(':')}::/64`;
}
