import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { AddressGuard } from '../../src/action/address-guard.js';
import { DeliveryWorker, LEASE_SECONDS } from '../../src/action/delivery-worker.js';
import { EmailSender } from '../../src/action/email-sender.js';
import { FeishuBotSender } from '../../src/action/feishu-bot-sender.js';
import { HttpSender } from '../../src/action/http-sender.js';
import { OutboundHttp } from '../../src/action/outbound-http.js';
import type { EmailRequest, Sender } from '../../src/action/sender.js';
import { FakeFeishu } from '../../src/cli/fake-feishu/fake-feishu.js';
import { Metrics } from '../../src/config/metrics.js';
import { loadBuiltInCatalogue } from '../../src/events/catalogue.js';
import { LeasedRows } from '../../src/queue/leased-rows.js';
import { Wakeup } from '../../src/queue/wakeup.js';
import { LOOKUP_LEASE_SECONDS, LookupWorker } from '../../src/rules/lookup-worker.js';
import type { RuleFiles } from '../../src/rules/rule-compiler.js';
import type { RuleSet } from '../../src/rules/rule-set.js';
import { TestClock } from './clock.js';
import { emptied, emptyRulesRoom, withPartitions } from './database.js';
import { appAt, lookupsWith } from './lookups.js';
import type { ReceivedByClock, TruthReceivers } from './truth-receivers.js';
import { RulesRoom } from './rules.js';
import { platformOf, sendersOver } from './senders.js';
import { incomingStory } from './story-events.js';
import type { StoryEvent } from './task-stories.js';

const catalogue = loadBuiltInCatalogue();
const APP = { appId: 'cli_a', appSecret: 'the-secret-of-the-app' };

/** An event of a story, and when it arrives (ms). */
export interface Arrival {
  readonly at: number;
  readonly story: StoryEvent;
}

/** What the platform says when it is asked, at any time the same. */
export interface PlatformAnswers {
  /** `data` of process.get, by process. */
  readonly processes: ReadonlyMap<string, object>;
  /** `data.user` of user.get, by user. */
  readonly users: ReadonlyMap<string, object>;
}

export interface SteppedServiceOptions {
  /** Of this service alone: its receivers tell by it who sent. */
  readonly name: string;
  readonly rules: { readonly ruleSet: RuleSet; readonly files: RuleFiles };
  readonly begin: number;
  readonly receivers: TruthReceivers;
  readonly platform: PlatformAnswers;
}

/** What is due at a time: at most one kind is worked on before it is asked again. */
interface Due {
  readonly undecided: boolean;
  readonly lookups: boolean;
  readonly timers: boolean;
  readonly questions: boolean;
  readonly schedules: boolean;
  readonly digests: boolean;
  readonly deferred: boolean;
  readonly pending: boolean;
  /** What is due after that, the first. */
  readonly next: Date | null;
}

/**
 * A whole service on a real database: it stores, decides, asks and really sends. Its clock goes from one thing that is due
 * to the next, and whatever is due then is done by the worker whose work it is.
 */
export class SteppedService {
  private readonly clock: TestClock;
  private readonly room: RulesRoom;
  private readonly lookups: LookupWorker;
  private readonly deliveries: DeliveryWorker;
  private readonly closing: (() => Promise<unknown>)[] = [];
  private mails = 0;

  /** In an empty database, with its rule set live since `begin`. */
  static async start(dataSource: DataSource, options: SteppedServiceOptions): Promise<SteppedService> {
    await emptyRulesRoom(dataSource);
    await emptied(dataSource, 'attempts');
    const clock = new TestClock(options.begin);
    await withPartitions(dataSource, clock.now());
    const fake = await FakeFeishu.start({ apps: [APP], clock });
    for (const [id, one] of options.platform.processes) fake.processes.set(id, one);
    for (const [id, one] of options.platform.users) fake.users.set(id, one);
    const room = new RulesRoom(dataSource, clock, { calendar: 'cn', apps: [appAt(fake.url, APP)] });
    await room.stores.ruleSets.offer(options.rules.ruleSet, options.rules.files, 'change');
    return new SteppedService(dataSource, options, { clock, fake, room });
  }

  private constructor(
    readonly dataSource: DataSource,
    private readonly options: SteppedServiceOptions,
    { clock, fake, room }: { clock: TestClock; fake: FakeFeishu; room: RulesRoom },
  ) {
    const { name, receivers } = options;
    this.clock = clock;
    this.room = room;
    const { log } = room;
    const instance = randomUUID();
    const wakeup = new Wakeup(dataSource);
    const metrics = new Metrics();
    const apps = [appAt(fake.url, APP)];
    const ways = lookupsWith(dataSource, { apps }, clock, log);
    const { events } = room;
    const { ruleSets } = room.stores;
    this.lookups = new LookupWorker(
      dataSource,
      new LeasedRows(
        dataSource,
        { table: 'lookups', ready: 'pending', taken: 'fetching', group: 'service' },
        instance,
        LOOKUP_LEASE_SECONDS,
      ),
      { lookups: ways.store, events, ruleSets },
      ways,
      { timezone: 'Asia/Shanghai', calendar: 'cn', wakeup, clock, log, metrics },
    );
    // Every host is the receiver's: its port says so.
    const http = new OutboundHttp({
      guard: new AddressGuard([{ kind: 'cidr', address: '127.0.0.0', prefix: 8, port: receivers.port }]),
      ca: undefined,
      lookup: (_host, _options, callback) => {
        callback(null, [{ address: '127.0.0.1', family: 4 }]);
      },
    });
    const platform = platformOf({ apps, clock, log });
    const mail = new EmailSender({ smtpUrl: receivers.smtpUrl, ca: undefined, from: `${name}@example.com` });
    const email: Sender<EmailRequest> = {
      send: async (...sent) => {
        const result = await mail.send(...sent);
        if (result.outcome === 'delivered') this.mails += 1;
        return result;
      },
    };
    const overHttp = sendersOver(new HttpSender(http, platform, clock), platform, clock);
    const feishuBot = new FeishuBotSender(http, platform, clock);
    this.deliveries = new DeliveryWorker(
      dataSource,
      new LeasedRows(
        dataSource,
        { table: 'action_keys', ready: 'pending', taken: 'delivering' },
        instance,
        LEASE_SECONDS,
      ),
      room.deliveries,
      { ...overHttp, email, feishuBot },
      {
        instance,
        secrets: new Map([
          ['SERVICE', name],
          ['BOT', `http://bot.test:${receivers.port}/bot?service=${name}`],
        ]),
        wakeup,
        clock,
        log,
        metrics,
      },
    );
    receivers.begin(name, clock);
    this.closing.push(
      () => ways.close(),
      () => room.close(),
      () => http.close(),
      () => platform.close(),
      () => mail.close(),
      () => fake.stop(),
    );
  }

  /** What its receivers got, each at a time of this service's clock. */
  get received(): readonly ReceivedByClock[] {
    return this.options.receivers.of(this.options.name);
  }

  /** Takes in what arrives, and lets time pass until then (ms). */
  async run(arrivals: readonly Arrival[], until: number): Promise<void> {
    for (const [at, together] of Map.groupBy(arrivals, (one) => one.at)) {
      await this.passUntil(at);
      for (const { story } of together) await this.room.store(incomingStory(catalogue, story));
    }
    await this.passUntil(until);
  }

  async close(): Promise<void> {
    await Promise.all(this.closing.map((close) => close()));
  }

  /** Whatever is due until a time happens, each at its time; the clock stands there then. */
  private async passUntil(until: number): Promise<void> {
    for (;;) {
      const next = await this.settle();
      if (next === null || next > until) break;
      this.clock.advance(Math.max(0, next - this.clock.now()));
    }
    this.clock.advance(until - this.clock.now());
  }

  /** Does all that is due now. Answers when something is due next (ms). */
  private async settle(): Promise<number | null> {
    const { room, deliveries, lookups } = this;
    for (;;) {
      const due = await this.due();
      if (due.undecided) await room.decisions.drain();
      else if (due.lookups) await lookups.drain();
      else if (due.timers) await room.time.timers.drain();
      else if (due.questions) await room.time.questions.drain();
      else if (due.schedules) await room.time.schedules.drain();
      else if (due.digests) await room.time.digests.drain();
      else if (due.deferred) await room.time.upkeep.drain();
      else if (due.pending) {
        await deliveries.drain();
        await this.options.receivers.mailsOf(this.options.name, this.mails);
      } else return due.next?.getTime() ?? null;
    }
  }

  private async due(): Promise<Due> {
    const [row] = await this.dataSource.query<[Due]>(
      `with t as (select $1::timestamptz as now),
            d as (
         select 'lookups' as kind, due_at from lookups where state = 'pending'
         union all select 'timers', due_at from timers where state = 'armed'
         union all select 'questions', due_at from timers where state = 'asking'
         union all select 'schedules', due_at from schedules
         union all select 'digests', due_at from digests where state = 'open'
         union all select 'deferred', due_at from action_keys where state = 'deferred' and deferred_for = 'quiet-hours'
         union all select 'pending', due_at from action_keys where state = 'pending'),
            n as (select kind from d, t where due_at <= now group by kind)
       select exists (select 1 from event_keys where state = 'undecided') as undecided,
              ${['lookups', 'timers', 'questions', 'schedules', 'digests', 'deferred', 'pending']
                .map((kind) => `exists (select 1 from n where kind = '${kind}') as ${kind}`)
                .join(', ')},
              (select min(due_at) from d, t where due_at > now) as next`,
      [new Date(this.clock.now())],
    );
    return row;
  }
}
