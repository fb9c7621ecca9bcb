import { loadConfig } from '../config/config.js';
import { Refusal } from '../config/problem.js';
import { SESSION } from '../console/access/login.schema.js';
import { MADE_TOKEN } from '../console/access/tokens.schema.js';
import { CHANGED_USER, USER_PAGE } from '../console/access/users.schema.js';
import { ACTED_MANY, DELIVERY, DELIVERY_DETAIL, DELIVERY_PAGE } from '../console/api/deliveries.schema.js';
import { CATALOGUE } from '../console/api/catalogue.schema.js';
import { DRILL_ANSWER } from '../console/api/drills.schema.js';
import { ENTITY } from '../console/api/entities.schema.js';
import { ERASURE_ANSWER, ERASURE_DAYS } from '../console/api/erasures.schema.js';
import { EVENT_CASE } from '../console/api/event-cases.schema.js';
import { EVENT_DETAIL, EVENT_PAGE, IMPORTED } from '../console/api/events.schema.js';
import { EXPLAINED_EVALUATIONS } from '../console/api/explanations.schema.js';
import { NOTICE_PAGE } from '../console/api/notices.schema.js';
import { RADAR, RADAR_FINDING, RECONCILED } from '../console/api/radar.schema.js';
import { RECALL_PREVIEW, RECALLED_DELIVERY_PAGE } from '../console/api/recalls.schema.js';
import { REPLAY_DETAIL, REPLAY_PAGE, REPLAY_PREVIEW } from '../console/api/replays.schema.js';
import { REPORT } from '../console/api/report.schema.js';
import {
  ACTIVATED,
  RULE,
  RULE_SET_ACTIVATION_PAGE,
  RULES,
  SAID_RULES,
} from '../console/api/rule-sets.schema.js';
import {
  COMPARED_DELIVERY_PAGE,
  SHADOW_DELIVERY,
  SHADOW_RULE,
  SHADOW_RULES,
} from '../console/api/shadow.schema.js';
import { ADDED_SILENCE, SILENCE, SILENCE_PAGE } from '../console/api/silences.schema.js';
import { TARGETS } from '../console/api/targets.schema.js';
import { TIMER, TIMER_PAGE } from '../console/api/timers.schema.js';
import { UNSETTLED_PAGE } from '../console/api/unsettled.schema.js';
import type { Admin, OrdersDesk } from './admin.js';
import { AdminHttp } from './admin-http.js';
import { readToken } from './admin-token.js';
import { queryTexts } from './query-texts.js';
import type { ServerAddress } from './server-address.js';

/** Does one piece of work by the API of a running service. No other settings than the token and OUTBOUND_CA count. */
export async function withRemoteAdmin<T>(
  server: ServerAddress,
  work: (admin: Admin) => Promise<T>,
): Promise<T> {
  const token = await readToken(process.env);
  const { OUTBOUND_CA } = loadConfig({ OUTBOUND_CA: process.env['OUTBOUND_CA'] });
  if (server.exposed)
    process.stderr.write(
      `Warning: ${server.origin} is reached without encryption, and the token can be read on the way: use https.\n`,
    );
  const http = new AdminHttp(server, token, OUTBOUND_CA);
  try {
    return await work(new RemoteAdmin(http));
  } finally {
    await http.close();
  }
}

class RemoteAdmin implements Admin {
  readonly events: Admin['events'];
  readonly deliveries: Admin['deliveries'];
  readonly ruleSets: Admin['ruleSets'];
  readonly shadow: Admin['shadow'];
  readonly targets: Admin['targets'];
  readonly report: Admin['report'];
  readonly radar: Admin['radar'];
  readonly notices: Admin['notices'];
  readonly catalogue: Admin['catalogue'];
  readonly silences: Admin['silences'];
  readonly timers: Admin['timers'];
  readonly unsettled: Admin['unsettled'];
  readonly entities: Admin['entities'];
  readonly replays: Admin['replays'];
  readonly recalls: Admin['recalls'];
  readonly users: Admin['users'];
  readonly erasures: Admin['erasures'];

  constructor(http: AdminHttp) {
    this.events = {
      list: (query) => http.ask({ path: '/events', query: queryTexts(query) }, EVENT_PAGE),
      find: (id) => http.ask({ path: at('events', id) }, EVENT_DETAIL),
      evaluations: (id, query) =>
        http.ask({ path: at('events', id, 'evaluations'), query: queryTexts(query) }, EXPLAINED_EVALUATIONS),
      case: (id, query) => http.ask({ path: at('events', id, 'case'), query: queryTexts(query) }, EVENT_CASE),
      export: (filter) => http.stream({ path: '/events/export', query: queryTexts(filter) }),
      import: (query, lines) =>
        http.ask({ method: 'POST', path: '/events/import', query: queryTexts(query), body: lines }, IMPORTED),
    };
    this.deliveries = {
      list: (query) => http.ask({ path: '/deliveries', query: queryTexts(query) }, DELIVERY_PAGE),
      find: (id) => http.ask({ path: at('deliveries', id) }, DELIVERY_DETAIL),
      act: (id, act, body) => http.ask({ method: 'POST', path: at('deliveries', id, act), body }, DELIVERY),
      actMany: (act, body) => http.ask({ method: 'POST', path: at('deliveries', act), body }, ACTED_MANY),
    };
    this.ruleSets = {
      list: (query) => http.ask({ path: '/rule-sets', query: queryTexts(query) }, RULE_SET_ACTIVATION_PAGE),
      activate: (hash, body) =>
        http.ask({ method: 'POST', path: at('rule-sets', hash, 'activate'), body }, ACTIVATED),
      rules: () => http.ask({ path: '/rules' }, RULES),
      said: (hash) => http.ask({ path: at('rule-sets', hash, 'rules') }, SAID_RULES),
      rule: (name) => http.ask({ path: at('rules', name) }, RULE),
    };
    this.shadow = {
      list: (query) => http.ask({ path: '/shadow', query: queryTexts(query) }, SHADOW_RULES),
      find: (rule, query) => http.ask({ path: at('shadow', rule), query: queryTexts(query) }, SHADOW_RULE),
      deliveries: (rule, query) =>
        http.ask(
          { path: at('shadow', rule, 'deliveries'), query: queryTexts(query) },
          COMPARED_DELIVERY_PAGE,
        ),
      delivery: (id) => http.ask({ path: at('shadow-deliveries', id) }, SHADOW_DELIVERY),
    };
    this.targets = {
      list: () => http.ask({ path: '/targets' }, TARGETS),
      test: (body) => http.ask({ method: 'POST', path: '/targets/test', body }, DRILL_ANSWER),
    };
    this.report = {
      find: (query) => http.ask({ path: '/report', query: queryTexts(query) }, REPORT),
    };
    this.radar = {
      list: (query) => http.ask({ path: '/radar', query: queryTexts(query) }, RADAR),
      refresh: (body) => http.ask({ method: 'POST', path: '/radar/refresh', body }, RADAR),
      dismiss: (id, body) =>
        http.ask({ method: 'POST', path: at('radar', id, 'dismiss'), body }, RADAR_FINDING),
      reconcile: (body) => http.ask({ method: 'POST', path: '/radar/reconcile', body }, RECONCILED),
    };
    this.notices = {
      list: (query) => http.ask({ path: '/notices', query: queryTexts(query) }, NOTICE_PAGE),
    };
    this.catalogue = { list: () => http.ask({ path: '/catalogue' }, CATALOGUE) };
    this.silences = {
      list: (query) => http.ask({ path: '/silences', query: queryTexts(query) }, SILENCE_PAGE),
      add: (silence) => http.ask({ method: 'POST', path: '/silences', body: silence }, ADDED_SILENCE),
      end: (id, body) => http.ask({ method: 'POST', path: at('silences', id, 'end'), body }, SILENCE),
    };
    this.timers = {
      list: (query) => http.ask({ path: '/timers', query: queryTexts(query) }, TIMER_PAGE),
      cancel: (id, body) => http.ask({ method: 'POST', path: at('timers', id, 'cancel'), body }, TIMER),
    };
    this.unsettled = {
      list: (query) => http.ask({ path: '/unsettled', query: queryTexts(query) }, UNSETTLED_PAGE),
    };
    this.entities = { find: (entity) => http.ask({ path: at('entities', entity) }, ENTITY) };
    const orders = (kind: 'replays' | 'recalls'): OrdersDesk => ({
      list: (query) => http.ask({ path: `/${kind}`, query: queryTexts(query) }, REPLAY_PAGE),
      find: (id) => http.ask({ path: at(kind, id) }, REPLAY_DETAIL),
      cancel: (id, body) => http.ask({ method: 'POST', path: at(kind, id, 'cancel'), body }, REPLAY_DETAIL),
      working: (_, work) => work(),
    });
    this.replays = {
      ...orders('replays'),
      preview: (body) => http.ask({ method: 'POST', path: '/replays/preview', body }, REPLAY_PREVIEW),
      create: (body) => http.ask({ method: 'POST', path: '/replays', body }, REPLAY_DETAIL),
    };
    this.recalls = {
      ...orders('recalls'),
      preview: (body) => http.ask({ method: 'POST', path: '/recalls/preview', body }, RECALL_PREVIEW),
      create: (body) => http.ask({ method: 'POST', path: '/recalls', body }, REPLAY_DETAIL),
      deliveries: (id, query) =>
        http.ask({ path: at('recalls', id, 'deliveries'), query: queryTexts(query) }, RECALLED_DELIVERY_PAGE),
      selection: (rule, query) =>
        http.ask(
          { path: at('recalls', 'selection', rule), query: queryTexts(query) },
          RECALLED_DELIVERY_PAGE,
        ),
    };
    this.users = {
      list: (query) => http.ask({ path: '/users', query: queryTexts(query) }, USER_PAGE),
      create: (user) => http.ask({ method: 'POST', path: '/users', body: user }, CHANGED_USER),
      change: (name, change) =>
        http.ask({ method: 'PATCH', path: at('users', name), body: change }, CHANGED_USER),
      remove: (name) => http.tell({ method: 'DELETE', path: at('users', name) }),
      makeToken: async (user, token) => {
        const { name } = await http.ask({ path: '/session' }, SESSION);
        if (name.split('/')[0] !== user.trim().toLowerCase())
          throw new Refusal(
            403,
            'TOKEN_OF_ANOTHER',
            `a service makes tokens for whoever asks, and that is ${name}: use a token of ${user}, or run the command on the machine of the service`,
          );
        return await http.ask({ method: 'POST', path: '/tokens', body: token }, MADE_TOKEN);
      },
    };
    this.erasures = {
      days: () => http.ask({ path: '/erasures/days' }, ERASURE_DAYS),
      erase: (body) => http.ask({ method: 'POST', path: '/erasures', body }, ERASURE_ANSWER),
    };
  }
}

/** A path of parts that may be anything; what would lead elsewhere is nowhere. */
function at(...parts: readonly string[]): string {
  const other = parts.find((part) => /^\.{0,2}$/.test(part));
  if (other !== undefined) throw new Refusal(404, 'NOT_FOUND', `There is nothing with the id "${other}".`);
  return parts.map((part) => `/${encodeURIComponent(part)}`).join('');
}
