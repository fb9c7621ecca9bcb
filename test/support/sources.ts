import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './folder.js';

/** The secrets of the systems that tests play, by the names that a sources file uses. */
export const SOURCE_SECRETS = {
  GITHUB: "It's a Secret to Everybody",
  STANDARD: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  TOKEN: 'mF_9.B5f-4.1JqM',
} as const;

/** `SOURCES_FILE` with this content, and the secrets it names, as in the environment. */
export function sourceSettings(content: object): Record<string, string> {
  const file = join(temporaryFolder('sources'), 'sources.json');
  writeFileSync(file, JSON.stringify(content));
  return {
    SOURCES_FILE: file,
    ...Object.fromEntries(Object.entries(SOURCE_SECRETS).map(([name, value]) => [`SECRET_${name}`, value])),
  };
}

/** A push as GitHub sends it. */
export function githubPush(
  body: string,
  { event = 'push', id = '72d3162e-cc78-11e3-81ab-4c9367dc0958' } = {},
): { readonly headers: Record<string, string>; readonly body: string } {
  const signature = createHmac('sha256', SOURCE_SECRETS.GITHUB).update(body).digest('hex');
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'GitHub-Hookshot/044aadd',
      'x-github-delivery': id,
      'x-github-event': event,
      'x-hub-signature-256': `sha256=${signature}`,
    },
  };
}
