import { hostname, userInfo } from 'node:os';
import type { ZodType } from 'zod';
import type { Actor } from '../config/access.js';
import { Refusal } from '../config/problem.js';
import { createAccessServices } from '../console/access/access-services.js';
import { NEW_TOKEN } from '../console/access/tokens.schema.js';
import { NEW_USER, USER_CHANGE, USER_NAME, USERS_QUERY } from '../console/access/users.schema.js';
import {
  ACT_BODY,
  DELIVERY_QUERY,
  MANY_ACT_BODIES,
  type ManyActBody,
  ONE_ACT_BODIES,
  type OneActBody,
} from '../console/api/deliveries.schema.js';
import { DRILL_BODY } from '../console/api/drills.schema.js';
import { DrillsService } from '../console/api/drills.service.js';
import { ERASURE_REQUEST } from '../console/api/erasures.schema.js';
import { EVENT_CASE_QUERY } from '../console/api/event-cases.schema.js';
import { EVENT_QUERY, EXPORT_QUERY, IMPORT_QUERY } from '../console/api/events.schema.js';
import { EXPLANATIONS_QUERY } from '../console/api/explanations.schema.js';
import { DISMISS_BODY, RADAR_QUERY, RECONCILE_BODY, REFRESH_BODY } from '../console/api/radar.schema.js';
import { PAGE_QUERY } from '../console/api/page.js';
import {
  NEW_RECALL_BODY,
  RECALL_PREVIEW_BODY,
  RECALL_SELECTION_QUERY,
  RECALLED_QUERY,
} from '../console/api/recalls.schema.js';
import { NEW_REPLAY_BODY, REPLAY_PREVIEW_BODY } from '../console/api/replays.schema.js';
import { REPORT_QUERY } from '../console/api/report.schema.js';
import { RULE_SET_QUERY } from '../console/api/rule-sets.schema.js';
import { createServices, NO_ROOMS } from '../console/api/services.js';
import { NOTICE_QUERY } from '../console/api/notices.schema.js';
import { SHADOW_LIST_QUERY, SHADOW_QUERY } from '../console/api/shadow.schema.js';
import { NEW_SILENCE, SILENCE_QUERY } from '../console/api/silences.schema.js';
import { TIMER_QUERY } from '../console/api/timers.schema.js';
import { UNSETTLED_QUERY } from '../console/api/unsettled.schema.js';
import type { Admin } from './admin.js';
import { type Installation, withInstallation } from './installation.js';
import { queryTexts } from './query-texts.js';

/** Does one piece of work on the database of this installation, as whoever may read its settings: an admin. */
export async function withLocalAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
  return await withInstallation(async (installation) => {
    await installation.catalogue.refresh();
    return await work(localAdmin(installation));
  });
}

/** The services that a running Aftersign answers with; what is asked is checked as it would be there. */
function localAdmin(installation: Installation): Admin {
  const { dataSource, clock, settings } = installation;
  const { audit, users, tokens } = createAccessServices({ dataSource, clock, dataDir: settings.DATA_DIR });
  const services = createServices({ ...installation, audit, here: NO_ROOMS });
  const { events, deliveries, ruleSets, targets, catalogue, erasures } = services;
  const { shadow } = services;
  const { silences, timers, unsettled, entities, report, notices } = services;
  const { replays, recalls } = services;
  const by = whoRunsThis();
  const working = async <T>(id: string, work: () => Promise<T>): Promise<T> => {
    const { workingAt } = await import('./local-replays.js');
    return await workingAt(installation, id, work);
  };
  return {
    events: {
      list: async (query) => await events.list(by, asked(EVENT_QUERY, query)),
      find: (id) => events.find(by, id),
      evaluations: async (id, query) => await events.evaluations(by, id, asked(EXPLANATIONS_QUERY, query)),
      case: async (id, query) => await events.case(id, asked(EVENT_CASE_QUERY, query)),
      export: (filter) => events.export(by, asked(EXPORT_QUERY, filter)),
      import: async (query, lines) => await events.import(by, asked(IMPORT_QUERY, query), lines),
    },
    deliveries: {
      list: async (query) => await deliveries.list(by, asked(DELIVERY_QUERY, query)),
      find: (id) => deliveries.find(by, id),
      act: async (id, act, body) =>
        await deliveries.act(by, id, act, checked<OneActBody>(ONE_ACT_BODIES[act], body)),
      actMany: async (act, body) =>
        await deliveries.actMany(by, act, checked<ManyActBody>(MANY_ACT_BODIES[act], asJson(body))),
    },
    ruleSets: {
      list: async (query) => await ruleSets.list(by, asked(RULE_SET_QUERY, query)),
      activate: async (hash, body) => await ruleSets.activate(by, hash, checked(ACT_BODY, body)),
      rules: () => ruleSets.rules(by),
      said: (hash) => ruleSets.said(by, hash),
      rule: (name) => ruleSets.rule(by, name),
    },
    shadow: {
      list: async (query) => await shadow.list(asked(SHADOW_QUERY, query)),
      find: async (rule, query) => await shadow.find(rule, asked(SHADOW_QUERY, query)),
      deliveries: async (rule, query) => await shadow.deliveries(by, rule, asked(SHADOW_LIST_QUERY, query)),
      delivery: (id) => shadow.delivery(by, id),
    },
    targets: {
      list: () => targets.list(by),
      test: async (body) => {
        const { withLocalDrill } = await import('./local-drill.js');
        const given = checked(DRILL_BODY, body);
        const parts = { ...installation, audit, timezone: settings.DEFAULT_TIMEZONE };
        return await withLocalDrill(
          settings,
          clock,
          async (drill) => await new DrillsService(dataSource, () => drill, parts).test(by, given),
        );
      },
    },
    radar: {
      list: async (query) => await services.radar.list(asked(RADAR_QUERY, query)),
      refresh: async (body) => await services.radar.refresh(by, checked(REFRESH_BODY, body)),
      dismiss: async (id, body) => await services.radar.dismiss(by, id, checked(DISMISS_BODY, body)),
      reconcile: async (body) => {
        const { withLocalReconciler } = await import('./local-reconciler.js');
        const given = checked(RECONCILE_BODY, body);
        return await withLocalReconciler(installation, async (reconciler) => {
          const here = { ...NO_ROOMS, reconciler: () => reconciler };
          return await createServices({ ...installation, audit, here }).radar.reconcile(by, given);
        });
      },
    },
    notices: { list: async (query) => await notices.list(asked(NOTICE_QUERY, query)) },
    report: { find: async (query) => await report.tell(by, asked(REPORT_QUERY, query)) },
    catalogue: { list: () => catalogue.list(by) },
    silences: {
      list: async (query) => await silences.list(by, asked(SILENCE_QUERY, query)),
      add: async (silence) => await silences.add(by, checked(NEW_SILENCE, silence)),
      end: async (id, body) => await silences.end(by, id, checked(ACT_BODY, body)),
    },
    timers: {
      list: async (query) => await timers.list(by, asked(TIMER_QUERY, query)),
      cancel: async (id, body) => await timers.cancel(by, id, checked(ACT_BODY, body)),
    },
    unsettled: { list: async (query) => await unsettled.list(by, asked(UNSETTLED_QUERY, query)) },
    entities: { find: (entity) => entities.find(by, entity) },
    replays: {
      preview: async (body) => await replays.preview(checked(REPLAY_PREVIEW_BODY, asJson(body))),
      create: async (body) => await replays.create(by, checked(NEW_REPLAY_BODY, asJson(body))),
      list: async (query) => await replays.list('replay', asked(PAGE_QUERY, query)),
      find: async (id) => await replays.get(by, 'replay', id),
      cancel: async (id, body) => await replays.cancel(by, 'replay', id, checked(ACT_BODY, body)),
      working,
    },
    recalls: {
      preview: async (body) => await recalls.preview(checked(RECALL_PREVIEW_BODY, asJson(body))),
      create: async (body) => await recalls.create(by, checked(NEW_RECALL_BODY, asJson(body))),
      list: async (query) => await recalls.list(asked(PAGE_QUERY, query)),
      find: async (id) => await recalls.find(by, id),
      cancel: async (id, body) => await recalls.cancel(by, id, checked(ACT_BODY, body)),
      deliveries: async (id, query) => await recalls.deliveries(by, id, asked(RECALLED_QUERY, query)),
      selection: async (rule, query) =>
        await recalls.selection(by, rule, asked(RECALL_SELECTION_QUERY, query)),
      working,
    },
    users: {
      list: async (query) => await users.list(by, asked(USERS_QUERY, query)),
      create: async (user) => await users.create(by, checked(NEW_USER, user)),
      change: async (name, change) =>
        await users.change(by, checked(USER_NAME, name), checked(USER_CHANGE, change)),
      remove: async (name) => {
        await users.remove(by, checked(USER_NAME, name));
      },
      makeToken: async (user, token) =>
        await tokens.create(by, checked(NEW_TOKEN, token), { user: checked(USER_NAME, user) }),
    },
    erasures: {
      days: () => erasures.days(by),
      erase: async (body) => await erasures.erase(by, checked(ERASURE_REQUEST, body)),
    },
  };
}

/** A query, through the texts that an address would hold. */
function asked<T>(schema: ZodType<T>, query: Parameters<typeof queryTexts>[0]): T {
  return checked(schema, queryTexts(query));
}

/** A body as it would be sent. */
function asJson(body: object): unknown {
  return JSON.parse(JSON.stringify(body));
}

/** @throws Refusal 400 REQUEST_INVALID */
function checked<T>(schema: ZodType<T>, given: unknown): T {
  const { success, data, error } = schema.safeParse(given);
  if (success) return data;
  const errors = error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  throw new Refusal(400, 'REQUEST_INVALID', 'The request does not fit: see "errors".', { errors });
}

function whoRunsThis(): Actor {
  return {
    name: `${systemUser()}@${hostname()}`,
    role: 'admin',
    means: 'command',
    userId: null,
    address: null,
  };
}

function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container the user may have a number only.
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}
