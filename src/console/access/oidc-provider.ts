import * as client from 'openid-client';
import type { Clock } from '../../config/clock.js';
import { type Log, messageOf } from '../../config/log.js';
import { Refusal } from '../../config/problem.js';
import { OidcFetch } from './oidc-fetch.js';
import { type Claims, ownClaim } from './oidc-claims.js';

/** After that the provider is asked anew where its endpoints are. */
const DISCOVERED_FOR_MS = 3_600_000;
const ANSWER_WITHIN_S = 10;

export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly scope: string;
  readonly roleClaim: string;
  /** Where the provider sends the browser back to. */
  readonly redirectUri: string;
  readonly ca: string | undefined;
  readonly proxy: string | undefined;
}

/** What is kept between the way to the provider and the way back. */
export interface FlowChecks {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** The OpenID provider, asked only when somebody signs in: the service starts without it. */
export class OidcProvider {
  private readonly out: OidcFetch;
  private found: { readonly configuration: client.Configuration; readonly at: number } | null = null;
  private finding: Promise<client.Configuration> | null = null;

  constructor(
    private readonly settings: OidcSettings,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    this.out = new OidcFetch(settings.ca, settings.proxy);
  }

  /** @throws Refusal 503 OIDC_UNREACHABLE */
  async signInUrl({ state, nonce, verifier }: FlowChecks): Promise<URL> {
    const configuration = await this.configuration();
    return client.buildAuthorizationUrl(configuration, {
      redirect_uri: this.settings.redirectUri,
      scope: this.settings.scope,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    });
  }

  /**
   * Who came back, by the provider's signature.
   *
   * @throws Refusal 503 OIDC_UNREACHABLE, 403 OIDC_REFUSED
   */
  async claims(query: string, { state, nonce, verifier }: FlowChecks): Promise<Claims> {
    const configuration = await this.configuration();
    const returned = new URL(this.settings.redirectUri);
    returned.search = query;
    try {
      const tokens = await client.authorizationCodeGrant(configuration, returned, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (claims === undefined) throw new Error('the answer holds no ID token');
      return await this.completed(configuration, claims, tokens.access_token);
    } catch (error) {
      throw this.refusalOf(error);
    }
  }

  async close(): Promise<void> {
    await this.out.close();
  }

  /** Many providers keep the ID token small, and tell of groups and names only when asked. */
  private async completed(
    configuration: client.Configuration,
    claims: Claims & { readonly sub: string },
    accessToken: string,
  ): Promise<Claims> {
    const isComplete =
      ownClaim(claims, this.settings.roleClaim) !== undefined &&
      (claims['preferred_username'] !== undefined || claims['email'] !== undefined);
    if (isComplete || configuration.serverMetadata().userinfo_endpoint === undefined) return claims;
    const more = await client.fetchUserInfo(configuration, accessToken, claims.sub);
    return { ...more, ...claims };
  }

  private async configuration(): Promise<client.Configuration> {
    if (this.found && this.clock.now() - this.found.at < DISCOVERED_FOR_MS) return this.found.configuration;
    this.finding ??= this.discover().finally(() => {
      this.finding = null;
    });
    return await this.finding;
  }

  private async discover(): Promise<client.Configuration> {
    const { issuer, clientId, clientSecret } = this.settings;
    try {
      const configuration = await client.discovery(
        new URL(issuer),
        clientId,
        undefined,
        clientSecret === undefined ? client.None() : withSecret(clientSecret),
        {
          timeout: ANSWER_WITHIN_S,
          [client.customFetch]: this.out.fetch,
          // The settings allow it on this machine alone.
          // eslint-disable-next-line @typescript-eslint/no-deprecated
          execute: new URL(issuer).protocol === 'http:' ? [client.allowInsecureRequests] : [],
        },
      );
      client.enableNonRepudiationChecks(configuration);
      this.found = { configuration, at: this.clock.now() };
      return configuration;
    } catch (error) {
      throw this.unreachable(error);
    }
  }

  private refusalOf(error: unknown): Refusal {
    if (isTransport(error)) return this.unreachable(error);
    this.log.warn({ event: 'access.oidc-refused', cause: causeOf(error) }, messageOf(error));
    return new Refusal(
      403,
      'OIDC_REFUSED',
      'The sign-in at the OpenID provider did not succeed. The log says why.',
    );
  }

  private unreachable(error: unknown): Refusal {
    this.log.error(
      { event: 'access.oidc-unreachable', issuer: this.settings.issuer, cause: causeOf(error) },
      messageOf(error),
    );
    return new Refusal(
      503,
      'OIDC_UNREACHABLE',
      'The OpenID provider does not answer as it should. The log says how.',
      {
        headers: { 'retry-after': '30' },
      },
    );
  }
}

/** As the provider wants the secret; where it does not say, as the standard has it. */
function withSecret(secret: string): client.ClientAuth {
  const [basic, post] = [client.ClientSecretBasic(secret), client.ClientSecretPost(secret)];
  return (server, ...request) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    (methods.includes('client_secret_basic') ? basic : post)(server, ...request);
  };
}

/** The provider did not answer, or not as one does. */
function isTransport(error: unknown): boolean {
  if (error instanceof TypeError) return true;
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  return /^OAUTH_(?:TIMEOUT|PARSE_ERROR|RESPONSE_IS_NOT_(?:CONFORM|JSON))$/.test(code);
}

/** Codes and texts of the layers below; no token and no code is in them. */
function causeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const told = 'error' in error && typeof error.error === 'string' ? error.error : undefined;
  const cause = 'cause' in error && error.cause instanceof Error ? messageOf(error.cause) : undefined;
  return told ?? cause;
}
