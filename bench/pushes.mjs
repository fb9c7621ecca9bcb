// The load of the benches: encrypted and signed pushes of Feishu, and the processes that take them.
import autocannon from 'autocannon';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { encryptFeishu, feishuAesKey, feishuSignature } from '../dist/ingestion/feishu-crypto.js';

const CONNECTIONS = 64;
const KEY = 'bench-encrypt-key';
const TOKEN = 'bench-verification-token';
const APP_ID = 'cli_9f5343c580712544';

export const note = (text) => process.stderr.write(`${text}\n`);

/** The settings of the app that the pushes are of. */
export const APP_SETTINGS = {
  FEISHU_APP_ID: APP_ID,
  FEISHU_ENCRYPT_KEY: KEY,
  FEISHU_VERIFICATION_TOKEN: TOKEN,
};

/** Distinct events of 500 processes, encrypted and signed beforehand: the load must not cost what it measures. */
export function makePushes(count) {
  const key = feishuAesKey(KEY);
  const timestamp = String(Math.floor(Date.now() / 1000));
  return Array.from({ length: count }, (_, n) => {
    if (n % 10_000 === 0) note(`making events ${n} of ${count}`);
    const plain = JSON.stringify({
      schema: '2.0',
      header: {
        event_id: randomBytes(16).toString('hex'),
        event_type: 'corehr.process.approver.updated_v2',
        create_time: String(Date.now()),
        token: TOKEN,
        app_id: APP_ID,
        tenant_key: '2ca1d211f64f6438',
      },
      event: {
        process_id: String(7_072_306_364_927_000_000n + BigInt(n % 500)),
        approver_id: String(7_072_306_364_927_000_000n + BigInt(n)),
        type: 1,
        status: (n % 4) + 1,
        biz_type: 'renewal_record',
        flow_definition_id: 'people_7182520625066475540_7222929439175839532',
        node_definition_id: 'approval_7c7d9c4d25b',
        node_id: '7369419552616089132',
      },
    });
    const body = JSON.stringify({ encrypt: encryptFeishu(key, plain) });
    return {
      body,
      headers: {
        'content-type': 'application/json;charset=utf-8',
        'x-lark-request-timestamp': timestamp,
        'x-lark-request-nonce': '123456789',
        'x-lark-signature': feishuSignature(timestamp, '123456789', KEY, Buffer.from(body)),
      },
    };
  });
}

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const children = [];

/** Ends all processes that were started. */
export async function endChildren() {
  for (const child of children) child.kill('SIGTERM');
  await Promise.all(
    children.map(
      (child) => child.exitCode ?? child.signalCode ?? new Promise((resolve) => child.once('exit', resolve)),
    ),
  );
}

export async function startChild(args, env, port, path) {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  children.push(child);
  const url = `http://127.0.0.1:${port}`;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`${args.join(' ')} ended with ${child.exitCode}`);
    const ready = await fetch(url + path).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ready) return { child, url };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function load(url, pushes) {
  let next = 0;
  const started = performance.now();
  let ended = started;
  const running = autocannon({
    url: `${url}/webhook/event`,
    connections: CONNECTIONS,
    amount: pushes.length,
    requests: [
      {
        method: 'POST',
        setupRequest: (request) => {
          const { body, headers } = pushes[next++ % pushes.length];
          return { ...request, body, headers };
        },
      },
    ],
  });
  // Its own duration is counted in whole seconds.
  running.on('response', () => {
    ended = performance.now();
  });
  const result = await running;
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${result.non2xx} refused, ${result.errors} failed`);
  return {
    perSecond: pushes.length / ((ended - started) / 1000),
    p50: result.latency.p50,
    p99: result.latency.p99,
  };
}

export const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
