import type { DataSource } from 'typeorm';
import type { FastifyRequest } from 'fastify';
import { type Actor, mayAct } from '../../config/access.js';
import type { Clock } from '../../config/clock.js';
import { Refusal } from '../../config/problem.js';
import { Callers } from '../access/callers.js';
import { Cookies } from '../access/cookies.js';
import { readsPersonal } from './personal.js';

/** Looks again, while a stream goes on, whether the one who listens still may. */
export class StreamCallers {
  private readonly callers: Callers;
  private readonly cookies: Cookies;

  constructor(dataSource: DataSource, clock: Clock, publicUrl: string | undefined) {
    this.callers = new Callers(dataSource, clock);
    this.cookies = new Cookies(publicUrl);
  }

  /** False when the login has ended, or shows other values than it did: whoever it is comes again, or does not. */
  async mayStay(request: FastifyRequest, was: Actor): Promise<boolean> {
    const { authorization } = request.headers;
    const secret = this.cookies.session(request);
    const address = was.address ?? '';
    try {
      const { actor } =
        authorization === undefined
          ? await this.callers.bySession(secret ?? '', address)
          : await this.callers.byToken(authorization, address);
      return mayAct(actor, 'viewer') && readsPersonal(actor) === readsPersonal(was);
    } catch (error) {
      // A database that does not answer ends nobody's login.
      return !(error instanceof Refusal);
    }
  }
}
