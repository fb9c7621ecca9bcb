import type { Config } from '../config/config.js';
import type { FeishuApp } from '../config/sources.js';
import type { Catalogue } from '../events/catalogue.js';
import type { SourceKind } from '../events/event.js';
import { FeishuWebhook } from './feishu-webhook.js';
import { SourceWebhook } from './source-webhook.js';
import type { RequestHeaders, Verified } from './verified.js';

/** Where a system's requests come in. */
export interface WebhookDoor {
  readonly kind: SourceKind;
  /** Null: nothing of that name is declared. */
  readonly path: string | null;
  /** `now` in ms since 1970. */
  verify(headers: RequestHeaders, raw: Buffer, now: number): Verified;
}

/** All doors of the settings: one for each Feishu app and each other system. */
export class WebhookDoors {
  private readonly apps: ReadonlyMap<string, WebhookDoor>;
  private readonly sources: ReadonlyMap<string, WebhookDoor>;
  private readonly cloudEvents: ReadonlySet<string>;

  constructor(
    { feishuApps, webhookSources }: Pick<Config, 'feishuApps' | 'webhookSources'>,
    catalogue: { readonly current: Catalogue },
    builtIn: Catalogue,
  ) {
    this.apps = new Map(feishuApps.map((app) => [app.name, doorOf(app, catalogue)]));
    this.sources = new Map(
      webhookSources.map((source) => {
        const webhook = new SourceWebhook(source, catalogue, builtIn);
        const door: WebhookDoor = {
          kind: 'webhook',
          path: source.path,
          verify: (headers, raw, now) => webhook.verify(headers, raw, now),
        };
        return [source.name, door];
      }),
    );
    const isCloud = ({ format }: (typeof webhookSources)[number]): boolean => format.kind === 'cloudevents';
    this.cloudEvents = new Set(webhookSources.filter(isCloud).map(({ name }) => name));
  }

  /** The door of a Feishu app, by its name; a closed one when there is no such app. */
  feishu(name: string): WebhookDoor {
    return (
      this.apps.get(name) ??
      closed(
        'feishu-webhook',
        null,
        'No Feishu app of this name is declared here: see "apps" in SOURCES_FILE.',
      )
    );
  }

  /** The door of another system, by its name; a closed one when there is no such system. */
  source(name: string): WebhookDoor {
    return (
      this.sources.get(name) ??
      closed('webhook', null, 'No source of this name is declared here: see "sources" in SOURCES_FILE.')
    );
  }

  /** Whether a system of that name sends CloudEvents. */
  takesCloudEvents(name: string): boolean {
    return this.cloudEvents.has(name);
  }
}

function doorOf(app: FeishuApp, catalogue: { readonly current: Catalogue }): WebhookDoor {
  const { name, path, mode, encryptKey, verificationToken } = app;
  const isOfSettings = name === 'default';
  if (mode === 'long-connection') {
    const setting = isOfSettings ? 'FEISHU_MODE' : '"mode" of the app in SOURCES_FILE';
    return closed(
      'feishu-webhook',
      path,
      `This app takes its events over the long connection alone: set ${setting} to webhook or both.`,
    );
  }
  if (encryptKey === undefined && verificationToken === undefined && !isOfSettings) {
    return closed(
      'feishu-webhook',
      path,
      'This app takes no pushes: give it "encryptKey" or "verificationToken" in SOURCES_FILE.',
    );
  }
  const webhook = new FeishuWebhook(app, catalogue);
  return {
    kind: 'feishu-webhook',
    path,
    verify: (headers, raw, now) => webhook.verify(headers, raw, now),
  };
}

function closed(kind: SourceKind, path: string | null, detail: string): WebhookDoor {
  return {
    kind,
    path,
    verify: () => ({ kind: 'refused', status: 404, code: 'SOURCE_NOT_CONFIGURED', detail }),
  };
}
