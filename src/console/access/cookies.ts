import type {} from '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Names and attributes of our cookies. Behind https the browser itself sees to it that nobody else has set them. */
export class Cookies {
  private readonly secure: boolean;

  constructor(publicUrl: string | undefined) {
    this.secure = publicUrl !== undefined && new URL(publicUrl).protocol === 'https:';
  }

  session(request: FastifyRequest): string | null {
    return request.cookies[this.sessionName] ?? null;
  }

  setSession(reply: FastifyReply, secret: string): void {
    reply.setCookie(this.sessionName, secret, this.attributes('strict', '/'));
  }

  clearSession(reply: FastifyReply): void {
    reply.clearCookie(this.sessionName, this.attributes('strict', '/'));
  }

  device(request: FastifyRequest): string | undefined {
    return request.cookies[this.deviceName];
  }

  setDevice(reply: FastifyReply, value: string): void {
    reply.setCookie(this.deviceName, value, {
      ...this.attributes('strict', '/api/v1/login'),
      maxAge: 180 * 24 * 3600,
    });
  }

  flow(request: FastifyRequest): string | null {
    return request.cookies[this.flowName] ?? null;
  }

  /** Sent along when the provider sends the browser back: a strict one would not be. */
  setFlow(reply: FastifyReply, secret: string, seconds: number): void {
    reply.setCookie(this.flowName, secret, { ...this.attributes('lax', '/'), maxAge: seconds });
  }

  clearFlow(reply: FastifyReply): void {
    reply.clearCookie(this.flowName, this.attributes('lax', '/'));
  }

  private get sessionName(): string {
    return this.secure ? '__Host-aftersign_session' : 'aftersign_session';
  }

  private get deviceName(): string {
    return this.secure ? '__Secure-aftersign_device' : 'aftersign_device';
  }

  private get flowName(): string {
    return this.secure ? '__Host-aftersign_flow' : 'aftersign_flow';
  }

  private attributes<Site extends 'strict' | 'lax'>(sameSite: Site, path: string) {
    return { httpOnly: true, sameSite, path, secure: this.secure } as const;
  }
}
