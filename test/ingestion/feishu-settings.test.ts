// Pure. The SDK multiplies by 1000 what the platform says, whatever it is: that is what comes in here.
import { describe, expect, it } from '@jest/globals';
import { repairedSettings } from '../../src/ingestion/feishu-settings.js';

const asTheSdk = (config: Record<string, unknown>): object => ({
  pingInterval: (config['PingInterval'] as number) * 1000,
  reconnectCount: config['ReconnectCount'] as number,
  reconnectInterval: (config['ReconnectInterval'] as number) * 1000,
  reconnectNonce: (config['ReconnectNonce'] as number) * 1000,
});

describe('settings from the platform', () => {
  it('are taken as they are when they make sense', () => {
    const real = { ReconnectCount: -1, ReconnectInterval: 90, ReconnectNonce: 25, PingInterval: 90 };
    expect(repairedSettings(asTheSdk(real))).toEqual(asTheSdk(real));
  });

  it.each([
    [{}, {}],
    [{ PingInterval: 90 }, { pingInterval: 90_000 }],
    [{ PingInterval: 'soon', ReconnectCount: 'often', ReconnectInterval: null }, { reconnectInterval: 1000 }],
    [{ PingInterval: [], ReconnectCount: 1.5 }, { pingInterval: 1000 }],
    [{ PingInterval: {}, ReconnectNonce: NaN, ReconnectInterval: Infinity }, {}],
    [{ PingInterval: -90, ReconnectInterval: -1, ReconnectNonce: -1 }, {}],
    [
      { PingInterval: 0, ReconnectInterval: 0, ReconnectNonce: 0, ReconnectCount: 0 },
      { pingInterval: 1000, reconnectInterval: 1000, reconnectNonce: 1000, reconnectCount: 0 },
    ],
    // setTimeout takes what is longer than 24 days for a millisecond.
    [
      { PingInterval: 1e9, ReconnectInterval: 1e9, ReconnectNonce: 1e9 },
      { pingInterval: 120_000, reconnectInterval: 120_000, reconnectNonce: 60_000 },
    ],
  ])('%j become %j', (config, settings) => {
    expect(repairedSettings(asTheSdk(config))).toEqual(settings);
  });

  it.each([
    ['wss://host/ws?service_id=7&fpid=1', '7'],
    ['wss://host/ws?fpid=1&service_id=7', '7'],
    ['wss://host/ws', '0'],
  ])('of the address %s have the service id %s, wherever it stands', (connectUrl, serviceId) => {
    expect(repairedSettings({ connectUrl, serviceId: 'wrong' })).toEqual({ connectUrl, serviceId });
  });

  it('that are none of these pass', () => {
    expect(repairedSettings({ autoReconnect: true } as object)).toEqual({ autoReconnect: true });
  });
});
