import { Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Clock } from '../../config/clock.js';
import { Config } from '../../config/config.module.js';
import { Log } from '../../config/log.js';
import { AccessWatch } from './access-watch.js';
import { AdminPasswordFile } from './admin-password-file.js';
import { AuditController } from './audit.controller.js';
import { AuditLog } from './audit-log.js';
import { LoginController } from './login.controller.js';
import { LoginService } from './login.service.js';
import { LoginThrottle } from './login-throttle.js';
import { OidcController, OidcDoor } from './oidc.controller.js';
import { OidcLoginService } from './oidc-login.service.js';
import { OidcProvider } from './oidc-provider.js';
import { PasswordHasher } from './password-hasher.js';
import { TokensController } from './tokens.controller.js';
import { TokensService } from './tokens.service.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';

/**
 * Who may come in, and what they may do: users, sessions, tokens, roles, and the audit log of every change. The guard
 * itself stands in the AppModule: it holds whatever the role. Nothing of this is on the way of an event.
 */
@Module({
  controllers: [LoginController, OidcController, UsersController, TokensController, AuditController],
  providers: [
    PasswordHasher,
    {
      provide: AuditLog,
      inject: [DataSource, Clock],
      useFactory: (dataSource: DataSource, clock: Clock) => new AuditLog(dataSource, clock),
    },
    {
      provide: AdminPasswordFile,
      inject: [Config, DataSource],
      useFactory: ({ settings }: Config, dataSource: DataSource) =>
        new AdminPasswordFile(settings.DATA_DIR, dataSource),
    },
    {
      provide: LoginThrottle,
      inject: [DataSource, Clock],
      useFactory: (dataSource: DataSource, clock: Clock) => new LoginThrottle(dataSource, clock),
    },
    {
      provide: UsersService,
      inject: [DataSource, Clock, AuditLog, PasswordHasher, AdminPasswordFile],
      useFactory: (...parts: ConstructorParameters<typeof UsersService>) => new UsersService(...parts),
    },
    {
      provide: TokensService,
      inject: [DataSource, Clock, AuditLog],
      useFactory: (...parts: ConstructorParameters<typeof TokensService>) => new TokensService(...parts),
    },
    {
      provide: LoginService,
      inject: [DataSource, Clock, AuditLog, PasswordHasher, LoginThrottle, AdminPasswordFile],
      useFactory: (
        dataSource: DataSource,
        clock: Clock,
        audit: AuditLog,
        hasher: PasswordHasher,
        throttle: LoginThrottle,
        passwordFile: AdminPasswordFile,
      ) => new LoginService({ dataSource, clock, audit, hasher, throttle, passwordFile }),
    },
    {
      provide: OidcDoor,
      inject: [Config, DataSource, Clock, Log, AuditLog],
      useFactory: oidcDoor,
    },
    AccessWatch,
  ],
  exports: [AuditLog, UsersService, TokensService],
})
export class AccessModule {}

function oidcDoor(
  { settings }: Config,
  dataSource: DataSource,
  clock: Clock,
  log: Log,
  audit: AuditLog,
): OidcDoor {
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, PUBLIC_URL: publicUrl } = settings;
  if (issuer === undefined || clientId === undefined || publicUrl === undefined)
    return new OidcDoor(null, null);
  const provider = new OidcProvider(
    {
      issuer,
      clientId,
      clientSecret: settings.OIDC_CLIENT_SECRET,
      scope: settings.OIDC_SCOPE,
      roleClaim: settings.OIDC_ROLE_CLAIM,
      redirectUri: `${publicUrl.replace(/\/+$/, '')}/api/v1/login/oidc/callback`,
      ca: settings.OUTBOUND_CA,
      proxy: settings.OUTBOUND_PROXY,
    },
    clock,
    log,
  );
  const { OIDC_ROLE_CLAIM: roleClaim, OIDC_ROLES: roles } = settings;
  return new OidcDoor(
    new OidcLoginService({ dataSource, clock, audit, provider, roleClaim, roles }),
    provider,
  );
}
