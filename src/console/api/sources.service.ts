import type { Actor } from '../../config/access.js';
import type { FeishuApp, WebhookSource } from '../../config/sources.js';
import type { Metrics } from '../../config/metrics.js';
import type { ConnectionStatus } from '../../ingestion/feishu-connection.js';
import type { EventFilter, EventList } from '../read/event-list.js';
import type { Source, Sources } from './sources.schema.js';

/** Where events come from: what is declared of each source, and how it does. Its secrets are not read here. */
export class SourcesService {
  constructor(
    private readonly settings: {
      readonly feishuApps: readonly FeishuApp[];
      readonly webhookSources: readonly WebhookSource[];
    },
    private readonly events: EventList,
    private readonly here: {
      readonly connections: () => readonly ConnectionStatus[] | null;
      readonly metrics: Metrics | null;
    },
  ) {}

  readonly list: (actor: Actor) => Promise<Sources> = async () => {
    const { feishuApps, webhookSources } = this.settings;
    const statuses = this.here.connections() ?? [];
    const items: Source[] = [];
    // One after the other: nobody waits for this, and others need the connections of the pool.
    for (const app of feishuApps) {
      const connection = statuses.find((status) => status.app === app.name);
      items.push({
        ...appOf(app),
        lastEventAt: await this.lastOf(
          app.appId === undefined ? { source: 'feishu-webhook' } : { origin: `feishu:${app.appId}` },
        ),
        connection: connection ? { ...connection } : null,
      });
    }
    for (const source of webhookSources)
      items.push({
        ...systemOf(source),
        lastEventAt: await this.lastOf({ origin: source.name }),
        connection: null,
      });
    return { items, received: await this.received() };
  };

  private async lastOf(filter: EventFilter): Promise<string | null> {
    const [last] = await this.events.list(filter, { limit: 1, after: null }, { personal: true });
    return last?.receivedAt.toISOString() ?? null;
  }

  private async received(): Promise<Sources['received']> {
    if (this.here.metrics === null) return null;
    const { values } = await this.here.metrics.received.get();
    return values.map(({ labels, value }) => ({
      source: String(labels.source ?? ''),
      outcome: String(labels.outcome ?? ''),
      count: value,
    }));
  }
}

type Declared = Omit<Source, 'lastEventAt' | 'connection'>;

function appOf(app: FeishuApp): Declared {
  const { name, mode, path, appId, encryptKey, verificationToken, signatureMaxAge } = app;
  const pushes = mode !== 'long-connection';
  const ways: Declared['verification']['ways'] = [
    ...(encryptKey === undefined ? [] : (['feishu-signature'] as const)),
    ...(verificationToken === undefined ? [] : (['feishu-token'] as const)),
  ];
  const takesPushes = pushes && (ways.length > 0 || name === 'default');
  const warnings = [
    ...(pushes && ways.length === 0
      ? [
          name === 'default'
            ? 'Pushes are taken from anybody: set FEISHU_ENCRYPT_KEY, or FEISHU_VERIFICATION_TOKEN at least.'
            : 'No pushes are taken: give the app "encryptKey" or "verificationToken".',
        ]
      : []),
    ...(takesPushes && encryptKey === undefined && verificationToken !== undefined
      ? ['Pushes are neither encrypted nor signed: the token alone is checked. Set an Encrypt Key.']
      : []),
    ...(takesPushes && encryptKey !== undefined && signatureMaxAge === null
      ? ['A signature of any age is taken: a push that somebody has recorded can be sent again.']
      : []),
    ...(appId === undefined ? ['Events of any app are taken: set the app id.'] : []),
  ];
  return {
    name,
    kind: 'feishu',
    origin: appId === undefined ? null : `feishu:${appId}`,
    mode,
    path: takesPushes ? path : null,
    format: 'feishu',
    types: null,
    verification: { on: ways.length > 0 || !pushes, ways },
    warnings,
  };
}

function systemOf({ name, path, types, verification, format }: WebhookSource): Declared {
  return {
    name,
    kind: 'webhook',
    origin: name,
    mode: 'webhook',
    path,
    format: format.kind,
    types: types === null ? null : [...types],
    verification: { on: verification.secrets.length > 0, ways: [verification.kind] },
    warnings: [],
  };
}
