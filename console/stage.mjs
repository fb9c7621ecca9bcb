// The service with something to see in it, for work on the console and for its tests in a browser: `npm run console:dev`.
// Everything is real: the embedded PostgreSQL, encrypted events, a receiver that fails for some, a mail server.
// Prints one line of JSON with the address and the logins when it stands.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../dist/config/clock.js';
import { loadConfig } from '../dist/config/config.js';
import { createLog } from '../dist/config/log.js';
import { loadBuiltInCatalogue } from '../dist/events/catalogue.js';
import { startMailServer } from '../dist/cli/demo-servers.js';
import { eventEnvelope } from '../dist/cli/fake-feishu/envelope.js';
import { encryptFeishu, feishuAesKey, feishuSignature } from '../dist/ingestion/feishu-crypto.js';
import { createService } from '../dist/service.js';

const PASSWORD = 'twelve characters';
const given = process.env;
/** Tests push events of their own, with the keys that they give. */
const APP = {
  appId: given.FEISHU_APP_ID ?? 'cli_9f5343c580712544',
  encryptKey: given.FEISHU_ENCRYPT_KEY ?? 'stage-key',
  verificationToken: given.FEISHU_VERIFICATION_TOKEN ?? 'stage-token',
};
const HOUR = 3_600_000;

/** Answers 503 below /down, 400 below /refuses, `{"code": 0}` else. */
async function startReceiver() {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      const { url = '' } = request;
      response.statusCode = url.startsWith('/down') ? 503 : url.startsWith('/refuses') ? 400 : 200;
      response.setHeader('content-type', 'application/json');
      response.end(response.statusCode === 200 ? '{"code":0,"msg":"ok"}' : '{"code":9,"msg":"not today"}');
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: server.address().port, close: () => server.close() };
}

async function freePort() {
  const server = createTcpServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const folder = given.DATA_DIR ?? mkdtempSync(join(tmpdir(), 'aftersign-stage-'));
const rules = join(folder, 'rules');
if (given.RULES_DIR === undefined) {
  mkdirSync(rules, { recursive: true });
  cpSync(join(import.meta.dirname, '..', 'rules'), rules, { recursive: true });
  cpSync(join(import.meta.dirname, 'stage-rules'), join(rules, 'stage'), { recursive: true });
}
const receiver = await startReceiver();
const mailServer = await startMailServer(() => undefined);
const at = `127.0.0.1:${receiver.port}`;
const settings = loadConfig({
  PORT: given.PORT ?? String(await freePort()),
  DATA_DIR: folder,
  ...(given.DATABASE_URL === undefined ? {} : { DATABASE_URL: given.DATABASE_URL }),
  RULES_DIR: given.RULES_DIR ?? rules,
  FEISHU_APP_ID: APP.appId,
  FEISHU_ENCRYPT_KEY: APP.encryptKey,
  FEISHU_VERIFICATION_TOKEN: APP.verificationToken,
  SMTP_URL: `smtp://127.0.0.1:${mailServer.port}`,
  MAIL_FROM: 'Aftersign <aftersign@example.com>',
  OUTBOUND_ALLOW: '127.0.0.1',
  ADMIN_PASSWORD: PASSWORD,
  SECRET_PAYROLL_URL: `http://${at}/approvals`,
  SECRET_PAYROLL_TOKEN: 'stage-payroll-token',
  SECRET_TICKETS_URL: `http://${at}/tickets`,
  SECRET_HR_SYSTEM_URL: `http://${at}/hr`,
  SECRET_LEGACY_URL: `http://${at}/refuses`,
  // Another host name, so that what is down there does not stop the others.
  SECRET_DOWN_URL: `http://localhost:${receiver.port}/down`,
});
const { app, listen } = await createService(
  settings,
  new SystemClock(),
  createLog({ LOG_LEVEL: 'warn', LOG_FORMAT: 'json' }, join(folder, 'stage.log')),
);
const { url } = await listen();

let cookie = '';
let csrf = '';
async function ask(method, path, body) {
  const answer = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: {
      origin: url,
      ...(cookie === '' ? {} : { cookie }),
      ...(csrf === '' ? {} : { 'x-csrf-token': csrf }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok && answer.status !== 409) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  const [set] = answer.headers.getSetCookie();
  if (set !== undefined) [cookie] = set.split(';');
  return text === '' ? null : JSON.parse(text);
}

const session = await ask('POST', '/login', { name: 'admin', password: PASSWORD });
csrf = session.csrf;
for (const role of ['viewer', 'operator'])
  await ask('POST', '/users', { name: role, role, password: PASSWORD });
await ask('POST', '/tokens', { name: 'grafana', role: 'viewer' });

const catalogue = loadBuiltInCatalogue();
const TASK = 'corehr.process.approver.updated_v2';
/** The catalogue's sample event, changed, as Feishu sends it now: of another time. */
async function push(type, changes, createTime) {
  const envelope = eventEnvelope({
    appId: APP.appId,
    header: { event_type: type, create_time: String(createTime), token: APP.verificationToken },
    event: { ...catalogue.find(type).sample, ...changes },
  });
  const body = JSON.stringify({
    encrypt: encryptFeishu(feishuAesKey(APP.encryptKey), JSON.stringify(envelope)),
  });
  const timestamp = String(Math.floor(Date.now() / 1000));
  const answer = await fetch(`${url}/webhook/event`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json;charset=utf-8',
      'x-lark-request-timestamp': timestamp,
      'x-lark-request-nonce': 'stage',
      'x-lark-signature': feishuSignature(timestamp, 'stage', APP.encryptKey, Buffer.from(body)),
    },
    body,
  });
  if (!answer.ok) throw new Error(`push: ${answer.status} ${await answer.text()}`);
  await answer.text();
}

/** One approval with countersigning tasks; `story` says who does what, in hours before now. */
async function approval(process, biz, story) {
  for (const [hoursAgo, task, status, node = '1'] of story)
    await push(
      TASK,
      {
        process_id: process,
        approver_id: `${process.slice(-6)}${task}`,
        node_id: `${process.slice(-6)}0${node}`,
        node_definition_id: 'approval_7c7d9c4d25b',
        biz_type: biz,
        type: 1,
        status,
      },
      Date.now() - hoursAgo * HOUR,
    );
}

const id = (n) => `75004129837${String(10_000_000 + n * 7919).slice(-8)}`;
const EVENTS = Number(given.STAGE_EVENTS ?? 150);
for (let n = 0; n * 3 < EVENTS; n += 1) {
  const biz = ['renewal_record', 'job_change', 'offboarding', 'probation', 'onboarding'][n % 5];
  const last = [3, 3, 2, 3, 4, 1, 3, 18][n % 8];
  const start = 40 - (n % 40);
  await approval(id(n), biz, [
    [start + 0.5, 'A', 1],
    [start + 0.3, 'A', last === 1 ? 1 : 3],
    ...(last === 1 ? [] : [[start, 'B', last, '2']]),
  ]);
}
// A process with everything: countersigned by three, one reopened, the second node rejected, reminders armed.
const SHOWN = id(9001);
await approval(SHOWN, 'renewal_record', [
  [30, 'A', 1],
  [30, 'B', 1],
  [29.9, 'C', 1],
  [26, 'A', 3],
  [20, 'B', 3],
  [14, 'B', 1],
  [9, 'C', 3],
  [8, 'D', 1, '2'],
  [5, 'B', 3],
  [2, 'E', 1, '2'],
  [1, 'E', 2, '2'],
]);
await approval(id(9002), 'job_change', [
  [7, 'A', 1],
  [6, 'B', 1],
  [3, 'A', 3],
  [2, 'B', 2],
]);
await push(
  TASK,
  { process_id: id(9003), biz_type: '<img src=x onerror=alert(1)>', status: 3, type: 1 },
  Date.now(),
);
// An edit, so that there is a version to compare with.
if (given.RULES_DIR === undefined) {
  const file = join(rules, 'stage', 'late-offer.rule.json');
  const before = (await ask('GET', '/rules')).ruleSet;
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace('"value": 3 }', '"value": 2 }').replace('is done:', 'is rejected:'),
  );
  for (let tries = 0; tries < 200; tries += 1) {
    if ((await ask('GET', '/rules')).ruleSet !== before) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
await ask('POST', '/silences', {
  matcher: { rule: 'task-*' },
  for: '45m',
  reason: 'The reminder is being reworded',
});
await ask('POST', '/silences', {
  matcher: { rule: 'payroll-*', owner: 'people-ops' },
  for: '3d',
  reason: '工资系统升级',
});

for (let tries = 0; tries < 600; tries += 1) {
  const { items } = await ask('GET', '/events?state=undecided&limit=1');
  if (items.length === 0) break;
  await new Promise((resolve) => setTimeout(resolve, 100));
}
console.log(
  JSON.stringify({
    url,
    console: `${url}/console/`,
    users: ['viewer', 'operator', 'admin'],
    password: PASSWORD,
    process: `process:${SHOWN}`,
  }),
);

let stopping = false;
async function stop() {
  if (stopping) return;
  stopping = true;
  await app.close();
  await mailServer.close();
  receiver.close();
  if (given.DATA_DIR === undefined) rmSync(folder, { recursive: true, force: true });
  process.exit(0);
}
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, stop);
