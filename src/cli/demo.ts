import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, relative, resolve } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import pc from 'picocolors';
import { type DeliveryRow, DeliveryStore } from '../action/delivery-store.js';
import { SystemClock } from '../config/clock.js';
import { loadConfig } from '../config/config.js';
import { createLog } from '../config/log.js';
import { Catalogue, type CatalogueEntry } from '../events/catalogue.js';
import { EventStore } from '../events/event-store.js';
import { judge } from '../rules/decide.js';
import { EvaluationStore } from '../rules/evaluation-store.js';
import { RuleLoader } from '../rules/rule-loader.js';
import { RuleSetStore } from '../rules/rule-set-store.js';
import { subjectOf } from '../rules/subject.js';
import { oneTimePassword } from '../console/access/one-time-password.js';
import { createService } from '../service.js';
import { type DemoApp, signedPush, type SignedPush } from './demo-event.js';
import { openConsole } from './demo-login.js';
import { sendStory } from './demo-story.js';
import {
  type LocalServer,
  type ReceivedMail,
  type ReceivedRequest,
  startMailServer,
  startReceiver,
} from './demo-servers.js';

const EVENT_TYPE = 'corehr.process.approver.updated_v2';
const ARRIVE_WITHIN_MS = 30_000;
const PACKAGE = resolve(import.meta.dirname, '..', '..');

/** Everything the demo has started. */
interface Stage {
  readonly app: NestFastifyApplication;
  readonly url: string;
  /** Of the console. */
  readonly login: { readonly name: string; readonly password: string };
  readonly folder: string;
  readonly feishu: DemoApp;
  readonly receiver: LocalServer;
  readonly mailServer: LocalServer;
  readonly requests: ReceivedRequest[];
  readonly mails: ReceivedMail[];
}

/**
 * The whole line on this machine: the service with the example rules on the embedded PostgreSQL, a receiver and a
 * mail server, and one encrypted and signed event. Answers the exit code: 0 only when both effects arrived.
 */
export async function runDemo({ once }: { once: boolean }): Promise<number> {
  let interrupted = (): void => undefined;
  const interruption = new Promise<void>((resolve) => {
    interrupted = resolve;
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, interrupted);

  say(`\n${pc.bold('Aftersign demo')}  one approval event, all the way: event → rules → action\n`);
  const stage = await setUp();
  try {
    const entry = stage.app.get(Catalogue, { strict: false }).find(EVENT_TYPE);
    if (!entry) throw new Error(`the catalogue has no ${EVENT_TYPE}`);
    const arrived = await followOneEvent(stage, entry);
    if (!arrived || once) return arrived ? 0 : 1;
    await tellStory(stage, entry);
    offerMore(stage, entry);
    await interruption;
    return 0;
  } finally {
    await stage.app.close();
    await Promise.all([stage.receiver.close(), stage.mailServer.close()]);
  }
}

async function setUp(): Promise<Stage> {
  const requests: ReceivedRequest[] = [];
  const mails: ReceivedMail[] = [];
  const receiver = await startReceiver((request) => requests.push(request));
  const mailServer = await startMailServer((mail) => mails.push(mail));
  const folder = resolve(process.env['DATA_DIR'] ?? '.aftersign/demo');
  const feishu = {
    appId: 'cli_9f5343c580712544',
    encryptKey: randomBytes(12).toString('base64url'),
    verificationToken: randomBytes(16).toString('base64url'),
  };
  const password = process.env['ADMIN_PASSWORD'] ?? oneTimePassword();
  const settings = loadConfig({
    ADMIN_PASSWORD: password,
    PORT: process.env['PORT'] ?? String(await freePort(3000)),
    DATA_DIR: folder,
    RULES_DIR: join(PACKAGE, 'rules'),
    FEISHU_APP_ID: feishu.appId,
    FEISHU_ENCRYPT_KEY: feishu.encryptKey,
    FEISHU_VERIFICATION_TOKEN: feishu.verificationToken,
    SMTP_URL: `smtp://127.0.0.1:${mailServer.port}`,
    MAIL_FROM: 'Aftersign <aftersign@example.com>',
    OUTBOUND_ALLOW: `127.0.0.1:${receiver.port}`,
    SECRET_PAYROLL_URL: `http://127.0.0.1:${receiver.port}/approvals`,
    SECRET_PAYROLL_TOKEN: randomBytes(16).toString('base64url'),
    SECRET_TICKETS_URL: `http://127.0.0.1:${receiver.port}/tickets`,
  });
  step(1, 'Start', 'PostgreSQL, the service, an HTTP receiver and a mail server, all on this machine');
  const logFile = join(folder, 'service.log');
  mkdirSync(folder, { recursive: true });
  rmSync(logFile, { force: true });
  const { app, listen } = await createService(
    settings,
    new SystemClock(),
    createLog({ LOG_LEVEL: 'info', LOG_FORMAT: 'json' }, logFile),
  );
  await listen();
  const url = `http://127.0.0.1:${settings.PORT}`;
  const current = await app.get(RuleSetStore, { strict: false }).current();
  const { findings } = app.get(RuleLoader, { strict: false });
  const name = await openConsole(app, password);
  line('service', url);
  line('console', `${pc.bold(`${url}/console/`)}  ${loginText({ name, password })}`);
  line('database', `embedded PostgreSQL, files in ${shown(folder)}`);
  line(
    'rules',
    `${current?.rules.length ?? 0} live (${current?.rules.map(({ name }) => name).join(', ') ?? 'none'})`,
  );
  for (const { severity, file, message } of findings)
    if (severity === 'error') line('', pc.red(`${file}: ${message}`));
  line('receiver', `http://127.0.0.1:${receiver.port}`);
  line('mail server', `smtp://127.0.0.1:${mailServer.port}`);
  line('log', shown(logFile));
  return { app, url, login: { name, password }, folder, feishu, receiver, mailServer, requests, mails };
}

async function followOneEvent(stage: Stage, entry: CatalogueEntry): Promise<boolean> {
  const push = signedPush(stage.feishu, entry, { status: 3 }, Date.now());
  step(2, 'Event 事件', 'encrypted and signed as Feishu does');
  const started = performance.now();
  const answer = await fetch(`${stage.url}/webhook/event`, {
    method: 'POST',
    headers: push.headers,
    body: push.body,
  });
  await answer.text();
  line(
    'POST',
    `/webhook/event → ${pc.bold(String(answer.status))} in ${Math.round(performance.now() - started)} ms, after the commit`,
  );
  line('on the wire', pc.dim(`${push.body.slice(0, 60)}… (${push.body.length} bytes)`));
  line('event_type', `${entry.eventType}  ${pc.cyan(`${entry.label.zh} / ${entry.label.en}`)}`);
  for (const [field, value] of Object.entries(push.fields)) showField(entry, field, value);
  if (answer.status !== 200) return false;

  const id = await until(async () => {
    const found = await stage.app
      .get(EventStore, { strict: false })
      .findByKey(`feishu:${stage.feishu.appId}`, push.eventId);
    return found && (found.state === 'decided' || found.state === 'quarantined') ? found.id : null;
  });
  if (id === null) {
    say(pc.red(`\n  The event was not decided within ${ARRIVE_WITHIN_MS / 1000} s: see the log.\n`));
    return false;
  }
  await showVerdicts(stage, id);
  return await showDeliveries(stage, id);
}

function showField(entry: CatalogueEntry, field: string, value: unknown): void {
  const known = entry.fields[field];
  const label = known?.enum?.find((one) => one.value === value)?.label;
  const meaning = label ? pc.cyan(`${label.zh} / ${label.en}`) : '';
  line(
    field,
    `${String(value)}  ${meaning}${known ? pc.dim(` (${known.label.zh} / ${known.label.en})`) : ''}`,
  );
}

/** What the ledger does not keep, because it can be recomputed, is recomputed here: "not matched". */
async function showVerdicts(stage: Stage, id: string): Promise<void> {
  const event = await stage.app.get(EventStore, { strict: false }).find(id);
  const evaluation = await stage.app.get(EvaluationStore, { strict: false }).find(id, 'live');
  const ruleSet = await stage.app.get(RuleSetStore, { strict: false }).current();
  if (!event || !evaluation || !ruleSet) throw new Error('the evaluation of the event is missing');
  step(3, 'Verdicts 判定', `rule set ${evaluation.ruleSet.slice(0, 12)}, recorded in the ledger`);
  const marks = {
    matched: pc.green('✓'),
    'not matched': pc.dim('✗'),
    unknown: pc.yellow('?'),
    error: pc.red('!'),
    skipped: pc.dim('–'),
  };
  const { eventType, facts } = subjectOf(event);
  for (const rule of ruleSet.rules) {
    if (!rule.listensTo(eventType)) continue;
    const { verdict } = await judge(ruleSet, rule, facts, evaluation.inputs);
    line(rule.name, `${marks[verdict]} ${verdict.padEnd(12)} ${pc.dim(rule.description ?? '')}`);
  }
  line('why?', pc.dim(`DATA_DIR=${shown(stage.folder)} npx aftersign explain ${event.eventId}`));
}

async function showDeliveries(stage: Stage, id: string): Promise<boolean> {
  const store = stage.app.get(DeliveryStore, { strict: false });
  step(4, 'Deliveries 投递', 'what really arrived');
  const ended = await until(async () => {
    const deliveries = await store.findOfEvent(id);
    return deliveries.length > 0 &&
      deliveries.every(({ state }) => ['delivered', 'dead', 'cancelled'].includes(state))
      ? deliveries
      : null;
  });
  const deliveries = ended ?? (await store.findOfEvent(id));
  const arrived = new Set<string>();
  for (const delivery of deliveries) {
    const attempts = await store.attemptsOf(delivery.id);
    const last = attempts.at(-1);
    const ok = delivery.state === 'delivered';
    line(
      delivery.action,
      `${ok ? pc.green('✓ delivered') : pc.red(`✗ ${delivery.state}`)} to ${delivery.target}, attempt ${delivery.attempt}` +
        `${last ? `, ${last.status ?? ''} in ${last.durationMs ?? '?'} ms` : ''}${delivery.reason ? `: ${delivery.reason}` : ''}`,
    );
    line('', pc.dim(`action key ${delivery.actionKey}`));
    const seen = delivery.kind === 'http' ? showRequest(stage, delivery) : showMail(stage, delivery);
    if (ok && seen) arrived.add(delivery.kind);
  }
  const both = arrived.has('http') && arrived.has('email');
  say(
    both
      ? pc.green('\n  Both arrived: the HTTP request and the e-mail.\n')
      : pc.red('\n  Not everything arrived: the log says why.\n'),
  );
  return both;
}

function showRequest({ requests }: Stage, { actionKey }: DeliveryRow): boolean {
  const request = requests.find(({ headers }) => headers['idempotency-key'] === actionKey);
  if (!request) return false;
  line('receiver got', `${request.method} ${request.path}`);
  line('', `idempotency-key: ${String(request.headers['idempotency-key'])}`);
  line(
    '',
    `authorization: ${request.headers.authorization ? 'Bearer … (from a secret, in no table and no log)' : 'none'}`,
  );
  for (const text of JSON.stringify(JSON.parse(request.body), null, 2).split('\n')) line('', text);
  return true;
}

function showMail({ mails }: Stage, { actionKey }: DeliveryRow): boolean {
  const mail = mails.find(({ content }) =>
    content.headers.some(({ key, value }) => key === 'idempotency-key' && value === actionKey),
  );
  if (!mail) return false;
  line('mailbox got', `From: ${mail.content.from?.name ?? ''} <${mail.from}>`);
  line('', `To: ${mail.to.join(', ')}`);
  line('', `Subject: ${mail.content.subject ?? ''}`);
  for (const text of (mail.content.text ?? '').trimEnd().split('\n')) line('', text);
  line('', pc.dim(`and the same as HTML, ${mail.content.html?.length ?? 0} characters`));
  return true;
}

/** What else there is to see in the console. */
async function tellStory(stage: Stage, entry: CatalogueEntry): Promise<void> {
  const sent = await sendStory(stage.url, stage.feishu, entry);
  step(5, 'Look 控制台', `${sent} more events, of three processes: see what became of them`);
  line('console', pc.bold(`${stage.url}/console/`));
  line('', loginText(stage.login));
  line(
    'for a person',
    'the transfer is mirrored nowhere: there is no secret HR_SYSTEM_URL, so its deliveries are dead',
  );
}

function loginText({ name, password }: Stage['login']): string {
  return `login ${pc.bold(name)}, password ${pc.bold(password)}`;
}

/** A request to play with: an approver rejects. */
function offerMore(stage: Stage, entry: CatalogueEntry): void {
  const push = signedPush(stage.feishu, entry, { status: 2 }, Date.now());
  const file = join(stage.folder, 'rejected.event.json');
  writeFileSync(file, push.body);
  step(6, 'Your turn', 'an approver rejects; send it twice, and the second is a duplicate');
  say(`\n${curl(stage.url, push, shown(file))}\n`);
  line('metrics', `${stage.url}/metrics`);
  line('health', `${stage.url}/health/ready`);
  say(pc.dim('\n  Ctrl-C ends the demo.\n'));
  let seen = stage.requests.length;
  const watch = setInterval(() => {
    for (const request of stage.requests.slice(seen))
      line('receiver got', `${request.method} ${request.path} ${request.body}`);
    seen = stage.requests.length;
  }, 200);
  watch.unref();
}

function curl(url: string, push: SignedPush, file: string): string {
  const headers = Object.entries(push.headers).map(([name, value]) => `  -H '${name}: ${value}'`);
  return [`curl -i '${url}/webhook/event'`, ...headers, `  --data-binary '@${file}'`].join(' \\\n');
}

/** The wanted port, or any free one when another program has it. */
async function freePort(wanted: number): Promise<number> {
  const listen = (port: number): Promise<number | null> =>
    new Promise((resolve) => {
      const server = createServer();
      server.once('error', () => {
        resolve(null);
      });
      server.listen(port, '127.0.0.1', () => {
        const address = server.address();
        server.close(() => {
          resolve(typeof address === 'object' && address ? address.port : null);
        });
      });
    });
  return (await listen(wanted)) ?? (await listen(0)) ?? wanted;
}

async function until<T>(look: () => Promise<T | null>): Promise<T | null> {
  const end = performance.now() + ARRIVE_WITHIN_MS;
  for (;;) {
    const found = await look();
    if (found !== null || performance.now() > end) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}

function say(text: string): void {
  console.log(text);
}

function step(number: number, title: string, about: string): void {
  say(`\n${pc.bold(pc.blue(`${number}  ${title}`))}  ${pc.dim(about)}`);
}

function line(name: string, text: string): void {
  say(`   ${name.padEnd(20)} ${text}`);
}
