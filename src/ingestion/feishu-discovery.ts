import http from 'node:http';
import https from 'node:https';
import { messageOf } from '../config/log.js';
import { isObject, own } from '../events/own-member.js';
import { reasonOf, type WayOut } from './feishu-agent.js';

/** Why there is no connection. `refused`: the platform said no, and a person may have to act. */
export interface ConnectionFailure {
  readonly kind: 'refused' | 'unreachable';
  /** The platform's own code, null when it gave none. */
  readonly platformCode: number | null;
  readonly detail: string;
}

/** Where to connect to. The URL is a credential: never log it. */
export interface Discovered {
  readonly kind: 'discovered';
  readonly url: string;
  /** The platform's `ClientConfig`, unchecked. */
  readonly settings: Readonly<Record<string, unknown>>;
}

const ANSWER_BYTES = 64 * 1024;
/** Codes of trouble of the platform's own (feishu-events 2.2). */
const MAY_PASS = new Set([1, 1000040343]);
const MENDS: ReadonlyMap<number, string> = new Map([
  [403, 'check the app id and the app secret, and that the app may use a long connection'],
  [514, 'check the app id and the app secret'],
  [9499, 'check the app id and the app secret'],
  [1000040344, 'check the app id and the app secret'],
  [1000040350, 'an app may have 50 connections: end other instances of it'],
]);

/** What to ask for an address, and how. */
export interface DiscoveryRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Holds the app's secret. */
  readonly body: string;
  /** Never repeated in a detail. */
  readonly secret: string;
  readonly wayOut: WayOut;
  /** Ends the request, and what was opened for it. */
  readonly signal: AbortSignal;
}

/**
 * Asks the platform where to connect to (feishu-events 2.2). Follows no redirect: the secret goes to the platform
 * alone. Whatever comes back is an answer, also no answer at all.
 */
export async function discover(request: DiscoveryRequest): Promise<Discovered | ConnectionFailure> {
  const { host, protocol } = new URL(request.url);
  const unreachable = (detail: string, platformCode: number | null = null): ConnectionFailure => ({
    kind: 'unreachable',
    platformCode,
    detail: `${host} ${detail}`,
  });
  let status, text;
  try {
    ({ status, text } = await post(request));
  } catch (error) {
    return unreachable(`does not answer: ${reasonOf(error)}`);
  }
  if (status >= 500 || status === 429) return unreachable(`answered HTTP ${status}`);
  const answer = jsonIn(text);
  const code = isObject(answer) ? own(answer, 'code') : undefined;
  if (!isObject(answer) || typeof code !== 'number') {
    const detail = `answered HTTP ${status} without a code`;
    if (status === 200) return unreachable(detail);
    return { kind: 'refused', platformCode: null, detail: `${host} ${detail}: check the platform's address` };
  }
  if (code !== 0) {
    const said = messageOf(own(answer, 'msg') ?? '').replaceAll(request.secret, '***');
    const detail = `answered code ${code} "${said.slice(0, 200)}"`;
    if (MAY_PASS.has(code)) return unreachable(detail, code);
    const mend = MENDS.get(code) ?? "check the app in the platform's console";
    return { kind: 'refused', platformCode: code, detail: `${host} ${detail}: ${mend}` };
  }
  const data = own(answer, 'data');
  const url = isObject(data) ? own(data, 'URL') : undefined;
  if (!isObject(data) || typeof url !== 'string' || !isAddress(url, protocol))
    return unreachable('answered without an address that can be used');
  const settings = own(data, 'ClientConfig');
  return { kind: 'discovered', url, settings: isObject(settings) ? settings : {} };
}

/** A platform reached over TLS must not lead to a socket without it. */
function isAddress(url: string, protocol: string): boolean {
  const allowed = protocol === 'https:' ? ['wss:'] : ['wss:', 'ws:'];
  return URL.canParse(url) && allowed.includes(new URL(url).protocol);
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function post(request: DiscoveryRequest): Promise<{ status: number; text: string }> {
  const { url, headers, body, wayOut, signal } = request;
  const { protocol } = new URL(url);
  const { request: send } = protocol === 'https:' ? https : http;
  const agent = wayOut.agentFor(protocol, signal);
  return new Promise((resolve, reject) => {
    const sent = send(
      url,
      { method: 'POST', agent, signal, headers: { ...headers, 'content-type': 'application/json' } },
      (answer) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        answer.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > ANSWER_BYTES)
            sent.destroy(new Error(`the answer is larger than ${ANSWER_BYTES} bytes`));
          else chunks.push(chunk);
        });
        answer.on('error', reject);
        answer.on('end', () => {
          resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
