import type { Clock } from '../../src/config/clock.js';
import { TestConsole } from './console.js';
import { until } from './door.js';
import { envelopeOf, pushOf } from './feishu.js';
import { folderWith } from './folder.js';
import { type Receiver, startReceiver } from './receiver.js';

/** Values of the seeded event that viewers may not read, each in one place of it. */
export const CANARIES = {
  name: 'canaryname7Qx',
  phone: 'canaryphone8Zw',
  guest: 'canaryguest9Kd',
  mail: 'canarymail3Vb@example.com',
  employee: 'canaryemployee5Tn',
  answered: 'canaryanswered2Lp',
  echoed: 'canaryechoed6Rm',
} as const;
/** Values of secrets that no answer may ever hold. */
export const PLANTED = {
  RECEIVER_TOKEN: 'planted-receiver-secret-41',
  LOOKUP_TOKEN: 'planted-lookup-secret-42',
};
export const SEEDED_TYPE = 'hr.visit.requested_v1';
export const SEEDED_RULES = ['announce', 'invite', 'nearly', 'ask-first', 'compare'] as const;

const label = (text: string) => ({ zh: text, en: text });
const personal = (text: string) => ({ type: 'string', label: label(text), personal: true });
const TYPE_FILE = {
  eventType: SEEDED_TYPE,
  label: { zh: '来访申请', en: 'visit requested' },
  entities: { employee: 'employee_id', visit: 'visit_id' },
  rootEntity: 'employee',
  status: { field: 'status', order: [1, 2, 3], terminal: [3] },
  fields: {
    visit_id: { type: 'string', label: label('visit') },
    employee_id: personal('employee'),
    applicant: personal('applicant'),
    manager: personal('manager'),
    email: personal('e-mail'),
    status: {
      type: 'integer',
      label: label('status'),
      enum: [
        { value: 1, label: { zh: '进行中', en: 'running' } },
        { value: 2, label: { zh: '已驳回', en: 'rejected' } },
        { value: 3, label: { zh: '已完成', en: 'done' } },
      ],
    },
    contact: {
      type: 'object',
      label: label('contact'),
      fields: { phone: personal('phone'), city: { type: 'string', label: label('city') } },
    },
    guests: {
      type: 'array',
      label: label('guests'),
      items: {
        type: 'object',
        label: label('guest'),
        fields: { name: personal('name'), badge: { type: 'integer', label: label('badge') } },
      },
    },
  },
};

export function visitEvent(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    visit_id: 'visit-1',
    employee_id: CANARIES.employee,
    applicant: CANARIES.name,
    manager: CANARIES.name,
    email: CANARIES.mail,
    status: 3,
    contact: { phone: CANARIES.phone, city: 'Hangzhou' },
    guests: [{ name: CANARIES.guest, badge: 17 }],
    ...changes,
  };
}

export function visitPush(changes: Record<string, unknown> = {}, header: Record<string, unknown> = {}) {
  return pushOf(envelopeOf(visitEvent(changes), { event_type: SEEDED_TYPE, ...header }));
}

function ruleFiles(url: string): Record<string, string> {
  const rule = (name: string, conditions: object, actions: readonly object[]) => ({
    name,
    trigger: SEEDED_TYPE,
    conditions,
    actions,
  });
  const is = (fact: string, value: unknown, more: object = {}) => ({
    fact,
    operator: 'equal',
    value,
    ...more,
  });
  const tell = {
    type: 'http',
    name: 'tell',
    url: `${url}/announce`,
    headers: { authorization: 'Bearer {{ secrets.RECEIVER_TOKEN }}' },
    body: { who: '{{ event.applicant }}', phone: '{{ event.contact.phone }}' },
  };
  const rules = [
    rule('announce', { all: [is('status', 3), { fact: 'guests', operator: 'exists', value: true }] }, [tell]),
    rule('invite', { all: [is('status', 3)] }, [
      {
        type: 'email',
        name: 'mail',
        to: ['{{ event.email }}'],
        allowRecipientFromEvent: ['example.com'],
        subject: 'to {{ event.applicant }}',
        text: 'come',
      },
    ]),
    rule('nearly', { all: [is('status', 3), is('applicant', 'nobody at all')] }, [tell]),
    rule('ask-first', { all: [is('lookup.person.secretary', 'somebody else')] }, [tell]),
    rule('compare', { all: [{ fact: 'applicant', operator: 'notEqual', value: { fact: 'manager' } }] }, [
      tell,
    ]),
  ];
  const lookups = {
    person: {
      type: 'http',
      url: `${url}/person/{{ event.employee_id }}`,
      headers: { authorization: 'Bearer {{ secrets.LOOKUP_TOKEN }}' },
    },
  };
  return {
    'catalogue/visit.event.json': JSON.stringify(TYPE_FILE),
    'lookups.json': JSON.stringify(lookups),
    ...Object.fromEntries(rules.map((one) => [`${one.name}.rule.json`, JSON.stringify(one)])),
  };
}

/** A console with one decided event that holds a canary in each personal place, and all that comes of it. */
export interface SeededConsole {
  readonly console: TestConsole;
  readonly receiver: Receiver;
  /** The rules folder. */
  readonly rules: string;
  /** Our id, and the sender's. */
  readonly event: { readonly id: string; readonly eventId: string };
  close(): Promise<void>;
}

export async function openSeeded(settings: NodeJS.ProcessEnv = {}, clock?: Clock): Promise<SeededConsole> {
  const receiver = await startReceiver(({ path }, response) => {
    if (path.startsWith('/person/')) {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ secretary: CANARIES.answered }));
      return;
    }
    response.statusCode = 400;
    response.end(`I do not know ${CANARIES.echoed}`);
  });
  const rules = folderWith(ruleFiles(receiver.url));
  const console = await TestConsole.open(
    {
      RULES_DIR: rules,
      OUTBOUND_ALLOW: '127.0.0.1',
      SECRET_RECEIVER_TOKEN: PLANTED.RECEIVER_TOKEN,
      SECRET_LOOKUP_TOKEN: PLANTED.LOOKUP_TOKEN,
      ...settings,
    },
    clock,
  );
  const eventId = 'seeded-event-1';
  await console.push(visitPush({}, { event_id: eventId }));
  let id = '';
  await until(async () => {
    const rows = await console.dataSource.query<{ id: string; settled: boolean }[]>(
      `select k.id, k.state = 'decided' and not exists (
                select 1 from deliveries d join action_keys a on a.id = d.id
                 where d.event_id = k.id and a.state in ('pending', 'delivering'))
                and exists (select 1 from event_search s where s.id = k.id and 'state=decided' = any(s.terms)) as settled
         from event_keys k where k.event_id = $1`,
      [eventId],
    );
    id = rows[0]?.id ?? '';
    return rows[0]?.settled === true;
  });
  return {
    console,
    receiver,
    rules,
    event: { id, eventId },
    close: async () => {
      await console.close();
      await receiver.close();
    },
  };
}
