import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Clock } from '../../config/clock.js';
import { Config } from '../../config/config.module.js';
import { Log, messageOf } from '../../config/log.js';
import { AdminPasswordFile } from './admin-password-file.js';
import { ensureFirstAdmin } from './first-admin.js';
import { LoginThrottle } from './login-throttle.js';
import { OidcDoor } from './oidc.controller.js';
import { PasswordHasher } from './password-hasher.js';
import { removeEndedSessions } from './sessions.js';

const SWEEP_MS = 10 * 60_000;

/** Makes the first user at the start, and removes from time to time what has ended. */
@Injectable()
export class AccessWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> = Promise.resolve();

  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly config: Config,
    private readonly hasher: PasswordHasher,
    private readonly passwordFile: AdminPasswordFile,
    private readonly throttle: LoginThrottle,
    private readonly oidc: OidcDoor,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { dataSource, clock, log, hasher, passwordFile } = this;
    const { ADMIN_PASSWORD: password } = this.config.settings;
    await ensureFirstAdmin({ dataSource, clock, log, hasher, passwordFile, password });
    this.timer = setInterval(() => {
      this.sweeping = this.sweep();
    }, SWEEP_MS);
    this.timer.unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.sweeping;
    await this.oidc.provider?.close();
  }

  async sweep(): Promise<void> {
    try {
      await removeEndedSessions(this.dataSource, this.clock.now());
      await this.throttle.removeForgotten();
      await this.oidc.service?.removeEnded();
      await this.passwordFile.removeIfUsed();
    } catch (error) {
      // The next one does it.
      this.log.warn({ event: 'access.sweep-failed' }, messageOf(error));
    }
  }
}
