import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { describeApi } from './openapi-document.js';

/** The description of the API as text, made when it is asked for the first time. */
export class OpenApi {
  private app: NestFastifyApplication | null = null;
  private made: string | null = null;

  /** The service whose routes are described. It is there before anybody can ask. */
  of(app: NestFastifyApplication): void {
    this.app = app;
  }

  text(): string {
    if (this.app === null) throw new Error('There is no service to describe yet.');
    this.made ??= JSON.stringify(describeApi(this.app));
    return this.made;
  }
}
