import type { Browser } from './browser.js';
import type { Room } from './room.js';

/** Each page of the console by its name, with ids that are there: paths below `/console`. */
export interface Paths {
  readonly overview: string;
  readonly attention: string;
  readonly events: string;
  readonly event: string;
  readonly process: string;
  readonly deliveries: string;
  readonly delivery: string;
  readonly rules: string;
  readonly rule: string;
  readonly shadow: string;
  readonly ruleSets: string;
  readonly tryPad: string;
  readonly backtests: string;
  readonly replays: string;
  readonly timers: string;
  readonly radar: string;
  readonly silences: string;
  readonly targets: string;
  readonly tokens: string;
  readonly users: string;
  readonly audit: string;
}

async function firstId(api: Browser, path: string): Promise<string> {
  const { status, body } = await api.ask('GET', `/api/v1${path}`);
  const [first] = (body as { items?: { id: string }[] }).items ?? [];
  if (!first) throw new Error(`GET ${path}: ${status} without a row`);
  return first.id;
}

export async function pathsOf({ stage }: Room): Promise<Paths> {
  const api = await stage.as('admin');
  return {
    overview: '/',
    attention: '/attention',
    events: '/events',
    event: `/events/${await firstId(api, '/events?verdict=matched&limit=1')}`,
    process: `/processes/${encodeURIComponent(stage.process)}`,
    deliveries: '/deliveries',
    delivery: `/deliveries/${await firstId(api, '/deliveries?state=dead&limit=1')}`,
    rules: '/rules',
    rule: '/rules/renewal-done',
    shadow: '/rules/badge-ordered-new?tab=shadow',
    ruleSets: '/rule-sets',
    tryPad: '/try',
    backtests: '/backtests',
    replays: '/replays',
    timers: '/timers',
    radar: '/radar',
    silences: '/silences',
    targets: '/targets',
    tokens: '/tokens',
    users: '/users',
    audit: '/audit',
  };
}
