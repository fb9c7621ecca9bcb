import type { DeliveryAct } from '../action/delivery-acts.js';
import { Refusal } from '../config/problem.js';
import type { MadeToken, NewToken } from '../console/access/tokens.schema.js';
import type { ChangedUser, NewUser, User, UserChange } from '../console/access/users.schema.js';
import type {
  ActBody,
  ActedMany,
  Delivery,
  DeliveryDetail,
  DeliveryQuery,
  ManyActBody,
  OneActBody,
} from '../console/api/deliveries.schema.js';
import type { CatalogueAnswer } from '../console/api/catalogue.schema.js';
import type { DrillAnswer, DrillBody } from '../console/api/drills.schema.js';
import type { Entity } from '../console/api/entities.schema.js';
import type { ErasureBody, ErasureDays, ErasureResult } from '../console/api/erasures.schema.js';
import type {
  Event,
  EventDetail,
  EventFilterQuery,
  EventQuery,
  Imported,
  ImportQuery,
} from '../console/api/events.schema.js';
import type { EventCaseAnswer, EventCaseQuery } from '../console/api/event-cases.schema.js';
import type { ExplainedEvaluations, ExplanationsQuery } from '../console/api/explanations.schema.js';
import type { Notice, NoticeQuery } from '../console/api/notices.schema.js';
import type { Page, PageQuery } from '../console/api/page.js';
import type {
  DismissBody,
  RadarAnswerBody,
  RadarFindingAnswer,
  RadarQuery,
  ReconcileBody,
  ReconciledAnswer,
  RefreshBody,
} from '../console/api/radar.schema.js';
import type {
  NewRecallBody,
  RecallPreviewAnswer,
  RecallPreviewBody,
  RecallSelectionQuery,
  RecalledDelivery,
  RecalledQuery,
} from '../console/api/recalls.schema.js';
import type {
  NewReplayBody,
  Replay,
  ReplayDetail,
  ReplayPreviewAnswer,
  ReplayPreviewBody,
} from '../console/api/replays.schema.js';
import type { Report, ReportQuery } from '../console/api/report.schema.js';
import type {
  Activated,
  RuleAnswer,
  Rules,
  RuleSetActivation,
  RuleSetQuery,
  SaidRules,
} from '../console/api/rule-sets.schema.js';
import type {
  ComparedDelivery,
  ShadowDelivery,
  ShadowListQuery,
  ShadowQuery,
  ShadowRule,
  ShadowRules,
} from '../console/api/shadow.schema.js';
import type { AddedSilence, NewSilence, Silence, SilenceQuery } from '../console/api/silences.schema.js';
import type { Targets } from '../console/api/targets.schema.js';
import type { Timer, TimerQuery } from '../console/api/timers.schema.js';
import type { Unsettled, UnsettledQuery } from '../console/api/unsettled.schema.js';
import { NobodyReads } from './output.js';
import { refuse } from './refuse.js';
import { printable } from '../config/terminal-text.js';
import type { ServerAddress } from './server-address.js';

/** What can be seen and done, on the database of this machine or by a running service. All throw Refusals. */
export interface Admin {
  readonly events: {
    list(query: EventQuery): Promise<Page<Event>>;
    find(id: string): Promise<EventDetail>;
    evaluations(id: string, query: ExplanationsQuery): Promise<ExplainedEvaluations>;
    case(id: string, query: EventCaseQuery): Promise<EventCaseAnswer>;
    /** Bytes of lines of JSON. */
    export(
      filter: EventFilterQuery & { readonly recorded?: boolean | undefined },
    ): AsyncIterable<string | Buffer>;
    /** `lines`: up to 1 MiB. */
    import(query: ImportQuery, lines: Buffer): Promise<Imported>;
  };
  readonly deliveries: {
    list(query: DeliveryQuery): Promise<Page<Delivery>>;
    find(id: string): Promise<DeliveryDetail>;
    act(id: string, act: DeliveryAct, body: OneActBody): Promise<Delivery>;
    actMany(act: DeliveryAct, body: ManyActBody): Promise<ActedMany>;
  };
  readonly ruleSets: {
    list(query: RuleSetQuery): Promise<Page<RuleSetActivation>>;
    activate(hash: string, body: ActBody): Promise<Activated>;
    rules(): Promise<Rules>;
    /** Of a stored set, or of `live`: each rule as a sentence. */
    said(hash: string): Promise<SaidRules>;
    rule(name: string): Promise<RuleAnswer>;
  };
  readonly shadow: {
    list(query: ShadowQuery): Promise<ShadowRules>;
    find(rule: string, query: ShadowQuery): Promise<ShadowRule>;
    deliveries(rule: string, query: ShadowListQuery): Promise<Page<ComparedDelivery>>;
    delivery(id: string): Promise<ShadowDelivery>;
  };
  readonly targets: { list(): Promise<Targets>; test(body: DrillBody): Promise<DrillAnswer> };
  readonly report: { find(query: ReportQuery): Promise<Report> };
  readonly radar: {
    list(query: RadarQuery): Promise<RadarAnswerBody>;
    refresh(body: RefreshBody): Promise<RadarAnswerBody>;
    dismiss(id: string, body: DismissBody): Promise<RadarFindingAnswer>;
    reconcile(body: ReconcileBody): Promise<ReconciledAnswer>;
  };
  readonly notices: { list(query: NoticeQuery): Promise<Page<Notice>> };
  readonly catalogue: { list(): Promise<CatalogueAnswer> };
  readonly silences: {
    list(query: SilenceQuery): Promise<Page<Silence>>;
    add(silence: NewSilence): Promise<AddedSilence>;
    end(id: string, body: ActBody): Promise<Silence>;
  };
  readonly timers: {
    list(query: TimerQuery): Promise<Page<Timer>>;
    cancel(id: string, body: ActBody): Promise<Timer>;
  };
  readonly unsettled: { list(query: UnsettledQuery): Promise<Page<Unsettled>> };
  readonly entities: { find(entity: string): Promise<Entity> };
  readonly replays: OrdersDesk & {
    preview(body: ReplayPreviewBody): Promise<ReplayPreviewAnswer>;
    create(body: NewReplayBody): Promise<ReplayDetail>;
  };
  readonly recalls: OrdersDesk & {
    preview(body: RecallPreviewBody): Promise<RecallPreviewAnswer>;
    create(body: NewRecallBody): Promise<ReplayDetail>;
    deliveries(id: string, query: RecalledQuery): Promise<Page<RecalledDelivery>>;
    selection(rule: string, query: RecallSelectionQuery): Promise<Page<RecalledDelivery>>;
  };
  readonly users: {
    list(query: PageQuery): Promise<Page<User>>;
    create(user: NewUser): Promise<ChangedUser>;
    change(name: string, change: UserChange): Promise<ChangedUser>;
    remove(name: string): Promise<void>;
    /** A token of this user. */
    makeToken(user: string, token: NewToken): Promise<MadeToken>;
  };
  readonly erasures: { days(): Promise<ErasureDays>; erase(body: ErasureBody): Promise<ErasureResult> };
}

/** What is the same of replays and recalls. */
export interface OrdersDesk {
  list(query: PageQuery): Promise<Page<Replay>>;
  find(id: string): Promise<ReplayDetail>;
  cancel(id: string, body: ActBody): Promise<ReplayDetail>;
  /** Does something while the order is worked at: on this machine also when no service runs. */
  working<T>(id: string, work: () => Promise<T>): Promise<T>;
}

/** Where a command works: on this machine, or with `--server` there. */
export interface AdminPlace {
  readonly server?: ServerAddress | undefined;
}

/** Does one piece of work there; says why it is refused. Answers the exit code: 2 when the request itself is wrong. */
export async function withAdmin(
  { server }: AdminPlace,
  work: (admin: Admin) => Promise<number>,
): Promise<number> {
  try {
    if (server === undefined) {
      const { withLocalAdmin } = await import('./local-admin.js');
      return await withLocalAdmin(work);
    }
    const { withRemoteAdmin } = await import('./remote-admin.js');
    return await withRemoteAdmin(server, work);
  } catch (error) {
    if (error instanceof NobodyReads) return 0;
    if (error instanceof Refusal) return refuseWith(error);
    throw error;
  }
}

/** Says why something is refused. Answers the exit code. */
export function refuseWith({ code, detail, errors, status }: Refusal): 1 | 2 {
  const places = errors?.map(({ path, message }) => `\n  ${path}: ${message}`).join('');
  refuse(code, printableLines(places ? `the request does not fit:${places}` : detail));
  // The name of a source is looked up, as that of a rule is.
  return status === 400 && code !== 'SOURCE_UNKNOWN' ? 2 : 1;
}

/** What a service says is text of others too. */
function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
