import { createHmac } from 'node:crypto';
import type { DataSource, EntityManager } from 'typeorm';
import { randomNonce, randomPKCECodeVerifier } from 'openid-client';
import { v7 as uuidv7 } from 'uuid';
import type { Clock } from '../../config/clock.js';
import type { UserRole } from '../../config/config.js';
import { Refusal } from '../../config/problem.js';
import type { AuditLog } from './audit-log.js';
import { type Claims, ownClaim, roleOf } from './oidc-claims.js';
import type { OidcProvider } from './oidc-provider.js';
import { newSecret, secretHash } from './secret.js';
import { endSessions, startSession } from './sessions.js';
import { userNameLike } from './user-name.js';
import { lockUsers, USER_COLUMNS, type UserRow } from './user-rows.js';

/** As long as somebody may take at the provider. */
export const FLOW_SECONDS = 600;
/** Anybody can begin a sign-in: that must not fill the table. */
const MOST_FLOWS = 10_000;

interface OidcLoginParts {
  readonly dataSource: DataSource;
  readonly clock: Clock;
  readonly audit: AuditLog;
  readonly provider: OidcProvider;
  readonly roleClaim: string;
  readonly roles: ReadonlyMap<string, UserRole>;
}

interface Returned {
  /** As it came, without the question mark. */
  readonly query: string;
  readonly address: string;
  /** The cookies of the browser. */
  readonly flow: string | null;
  readonly session: string | null;
}

/**
 * Signing in at the OpenID provider: authorization code, PKCE, state and nonce. The way there and the way back belong to
 * one browser, by a cookie from which the state follows, and the way back is taken once.
 */
export class OidcLoginService {
  constructor(private readonly parts: OidcLoginParts) {}

  /** Where to send the browser, and the cookie it gets. @throws Refusal 503 OIDC_UNREACHABLE, LOGIN_BUSY */
  async begin(): Promise<{ readonly url: string; readonly flow: string }> {
    const { dataSource, clock, provider } = this.parts;
    const { text: flow, hash } = newSecret();
    const checks = { state: stateOf(flow), nonce: randomNonce(), verifier: randomPKCECodeVerifier() };
    const url = await provider.signInUrl(checks);
    const now = clock.now();
    await this.removeEnded();
    const made = await dataSource.query<unknown[]>(
      `insert into login_flows (hash, verifier, nonce, expires_at)
       select $1, $2, $3, $4 where (select count(*) from login_flows) < $5 returning 1`,
      [hash, checks.verifier, checks.nonce, new Date(now + FLOW_SECONDS * 1000), MOST_FLOWS],
    );
    if (made.length === 0)
      throw new Refusal(503, 'LOGIN_BUSY', 'Too many people are signing in: try again in a moment.', {
        headers: { 'retry-after': '60' },
      });
    return { url: url.href, flow };
  }

  /**
   * The secret of the new session.
   *
   * @throws Refusal 400 OIDC_FLOW_UNKNOWN, 403 OIDC_REFUSED, OIDC_NO_ROLE, USER_DISABLED, 503 OIDC_UNREACHABLE
   */
  async finish({ query, address, flow, session }: Returned): Promise<string> {
    const checks = flow === null ? null : await this.takeFlow(flow, query);
    if (checks === null)
      throw new Refusal(
        400,
        'OIDC_FLOW_UNKNOWN',
        'This sign-in was not begun in this browser, took too long, or is over: begin anew.',
      );
    const claims = await this.parts.provider.claims(query, checks);
    const role = roleOf(ownClaim(claims, this.parts.roleClaim), this.parts.roles);
    const outcome = await this.parts.dataSource.transaction((tx) =>
      this.enter(tx, { claims, role, address, before: session }),
    );
    if (outcome instanceof Refusal) throw outcome;
    return outcome;
  }

  async removeEnded(): Promise<void> {
    await this.parts.dataSource.query('delete from login_flows where expires_at <= $1', [
      new Date(this.parts.clock.now()),
    ]);
  }

  /** What the way back is held against. It is gone with that. */
  private async takeFlow(flow: string, query: string) {
    const hash = secretHash(flow);
    const state = stateOf(flow);
    if (hash === null || new URLSearchParams(query).get('state') !== state) return null;
    const [row] = await this.parts.dataSource.query<{ verifier: string; nonce: string }[]>(
      `with taken as (delete from login_flows where hash = $1 returning verifier, nonce, expires_at)
       select verifier, nonce from taken where expires_at > $2`,
      [hash, new Date(this.parts.clock.now())],
    );
    return row ? { ...row, state } : null;
  }

  /** A refusal is answered, not thrown: what it leaves in the audit log has to be committed. */
  private async enter(
    tx: EntityManager,
    {
      claims,
      role,
      address,
      before,
    }: { claims: Claims; role: UserRole | null; address: string; before: string | null },
  ): Promise<string | Refusal> {
    const { clock, audit } = this.parts;
    const now = clock.now();
    await lockUsers(tx);
    const identity = `${textOf(claims['iss'])}|${textOf(claims['sub'])}`;
    const known = await findByIdentity(tx, identity);
    if (role === null || known?.disabled === true) {
      // Whom the provider gives no role any more is shut out at once, with all that is open.
      if (known && role === null) await this.shutOut(tx, known, now);
      const name = known?.name ?? nameIn(claims);
      const refused = role === null ? noRole() : disabled(name);
      const detail = { way: 'oidc', code: refused.code };
      await audit.recordStranger(
        tx,
        { name, address },
        { action: 'login.failed', subject: `user:${name}`, detail },
      );
      return refused;
    }
    const user = known ?? (await this.make(tx, { claims, identity, role, now }));
    // The provider's word holds for the last admin too: a command on the machine makes another one.
    await tx.query('update users set role = $2, last_login_at = $3 where id = $1', [
      user.id,
      role,
      new Date(now),
    ]);
    const { secret } = await startSession(tx, { userId: user.id, now, before });
    await audit.record(
      tx,
      { name: user.name, role, means: 'session', userId: user.id, address },
      {
        action: 'login.ok',
        subject: `user:${user.name}`,
        detail: { way: 'oidc', role, ...(known ? {} : { made: true }) },
      },
    );
    return secret;
  }

  private async shutOut(tx: EntityManager, { id }: UserRow, now: number): Promise<void> {
    await endSessions(tx, id);
    await tx.query('update tokens set revoked_at = $2 where user_id = $1 and revoked_at is null', [
      id,
      new Date(now),
    ]);
  }

  private async make(
    tx: EntityManager,
    { claims, identity, role, now }: { claims: Claims; identity: string; role: UserRole; now: number },
  ): Promise<UserRow> {
    const wanted = nameIn(claims);
    // Whoever has the name keeps it, local users above all. Those who make local users by the API do not wait for the
    // lock: the name may be taken between.
    for (let number = 1; ; number++) {
      const name = number === 1 ? wanted : `${wanted}-${number}`;
      await tx.query(
        `insert into users (id, name, role, identity, created_at) values ($1, $2, $3, $4, $5)
         on conflict (name) do nothing`,
        [uuidv7(), name, role, identity, new Date(now)],
      );
      const made = await findByIdentity(tx, identity);
      if (made) return made;
    }
  }
}

function noRole(): Refusal {
  return new Refusal(
    403,
    'OIDC_NO_ROLE',
    'The OpenID provider knows you, and OIDC_ROLES gives you no role here.',
  );
}

function disabled(name: string): Refusal {
  return new Refusal(403, 'USER_DISABLED', `The user ${name} is disabled.`);
}

async function findByIdentity(tx: EntityManager, identity: string): Promise<UserRow | null> {
  const rows = await tx.query<UserRow[]>(`select ${USER_COLUMNS} from users where identity = $1`, [identity]);
  return rows[0] ?? null;
}

/** The first that says something in the characters a name may have. */
function nameIn(claims: Claims): string {
  const said = [claims['preferred_username'], claims['email'], claims['sub']].map(textOf);
  return userNameLike(said.find((text) => /[a-z0-9]/i.test(text)) ?? '');
}

function textOf(claim: unknown): string {
  return typeof claim === 'string' ? claim : '';
}

/** Only the browser with the cookie can have it, and the cookie does not follow from it. */
function stateOf(flow: string): string {
  return createHmac('sha256', flow).update('state').digest('base64url');
}
