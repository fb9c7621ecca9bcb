/** What a discovery or a pong sets in the SDK's client; times in milliseconds. */
export interface ClientSettings {
  readonly connectUrl?: string;
  readonly serviceId?: string;
  readonly pingInterval?: number;
  /** -1: for ever. */
  readonly reconnectCount?: number;
  readonly reconnectInterval?: number;
  readonly reconnectNonce?: number;
}

interface Range {
  readonly least: number;
  readonly most: number;
}

const PING: Range = { least: 1000, most: 120_000 };
const RECONNECT: Range = { least: 1000, most: 120_000 };
/** Also when the platform says 0: a socket that opens and closes must not go round in a circle. */
const NONCE: Range = { least: 1000, most: 60_000 };

/**
 * The settings as the SDK can work with them. It multiplies what the platform says without a look at it: a missing
 * number would make it send pings, or ask for addresses, as fast as it can. What is no number is left out, and what
 * was set before stays.
 */
export function repairedSettings(settings: ClientSettings): ClientSettings {
  const { pingInterval, reconnectCount, reconnectInterval, reconnectNonce, connectUrl, ...others } = settings;
  return {
    ...others,
    // The SDK takes the whole URL for a query and so loses the first parameter of it.
    ...(connectUrl === undefined
      ? {}
      : { connectUrl, serviceId: new URL(connectUrl).searchParams.get('service_id') ?? '0' }),
    ...within('pingInterval', pingInterval, PING),
    ...within('reconnectInterval', reconnectInterval, RECONNECT),
    ...within('reconnectNonce', reconnectNonce, NONCE),
    ...(Number.isInteger(reconnectCount) ? { reconnectCount: reconnectCount as number } : {}),
  };
}

function within(name: string, value: number | undefined, { least, most }: Range): object {
  if (value === undefined || !Number.isFinite(value) || value < 0) return {};
  return { [name]: Math.min(Math.max(value, least), most) };
}
