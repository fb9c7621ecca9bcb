import type { Config } from '../config/config.js';
import type { WebhookSource } from '../config/sources.js';

/** The source that somebody names. Answers a sentence when `SOURCES_FILE` declares none of that name. */
export function declaredSource(
  { webhookSources }: Pick<Config, 'webhookSources'>,
  name: string,
): WebhookSource | string {
  const names = webhookSources.map((source) => source.name).join(', ');
  return (
    webhookSources.find((source) => source.name === name) ??
    `there is no source "${name}"; SOURCES_FILE declares ${names || 'none'}`
  );
}
