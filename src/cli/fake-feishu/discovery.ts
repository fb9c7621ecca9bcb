import type { FakeApp } from './apps.js';
import type { ClientConfig, Connections } from './connections.js';
import type { EndpointFault, Faults } from './faults.js';
import { type HttpAnswer, objectIn } from './http-answer.js';

/** Answers `POST /callback/ws/endpoint` (feishu-events 2.2): where to connect to. Null: it is to hang. */
export function discover(
  body: Buffer,
  faults: Faults,
  apps: ReadonlyMap<string, FakeApp>,
  connections: Connections,
  config: ClientConfig,
  origin: string,
): HttpAnswer | null {
  const fault = faults.endpoint.shift();
  if (fault !== undefined) return faulty(fault);
  // The names to the letter, also their case.
  const { AppID: appId, AppSecret: appSecret } = objectIn(body) ?? {};
  if (typeof appId !== 'string' || typeof appSecret !== 'string')
    return { status: 400, body: { code: 9499, msg: 'Bad Request', data: {} } };
  const app = apps.get(appId);
  if (!app || app.appSecret !== appSecret) return failed(514, 'auth failed');
  if (connections.openOf(appId) >= faults.connectionLimit)
    return failed(1000040350, 'the number of connections exceeded the limit');
  const URL = connections.addressFor(app, origin);
  return { status: 200, body: { code: 0, msg: '', data: { URL, ClientConfig: config } } };
}

function faulty(fault: EndpointFault): HttpAnswer | null {
  if (fault === 'hang') return null;
  if (fault === 'not-json') return { status: 200, body: '<html>busy</html>' };
  if ('status' in fault)
    return { status: fault.status, body: { code: fault.status, msg: 'error', data: null } };
  return failed(fault.code, fault.msg ?? 'made to fail', fault.data === 'null' ? null : {});
}

function failed(code: number, msg: string, data: object | null = {}): HttpAnswer {
  return { status: 200, body: { code, msg, data } };
}
