// Events, evaluations, deliveries and their keys by the million, made by the database itself. What the indexer would
// have written is made from the terms of one event of each kind, with the ids of the others put in; `checkTerms`
// proves for a sample that they are the very same.
import { standingTerms, termsOf } from '../dist/events/event-terms.js';

const DAYS = 30;
const PER_MATCH = 5;
const CHUNK = 100_000;

// Stand for what differs from event to event.
const PROCESS = '7990000000000000001';
const TASK = '7990000000000000002';
const EVENT = 'e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7';
const TIME = '1790000000001';
const STATUS = 424242;

const v2 = (type, event) => ({
  schema: '2.0',
  header: {
    event_id: EVENT,
    event_type: type,
    create_time: TIME,
    token: '',
    app_id: 'cli_9f5343c580712544',
    tenant_key: '2ca1d211f64f6438',
  },
  event,
});
const approver = (bizType) =>
  v2('corehr.process.approver.updated_v2', {
    process_id: PROCESS,
    approver_id: TASK,
    type: 1,
    status: STATUS,
    biz_type: bizType,
    flow_definition_id: 'people_7182520625066475540_7222929439175839532',
    node_definition_id: 'approval_7c7d9c4d25b',
    node_id: '7369419552616089132',
  });
const order = (note) => ({
  order_id: PROCESS,
  status: 'paid',
  customer: 'Lang & Li 贸易有限公司',
  note,
  total: 129.5,
});

const FEISHU = {
  origin: 'feishu:cli_9f5343c580712544',
  source: 'feishu-webhook',
  root: 'process',
  transport: null,
};
const SHOP = {
  origin: 'webhook:shop',
  source: 'webhook',
  root: 'order',
  transport: { format: 'json', fields: [] },
};

/** `share`: of 100 000 events. `statuses`: the numbers that stand in for the status. */
const KINDS = [
  {
    share: 40_000,
    type: 'corehr.process.approver.updated_v2',
    body: approver('renewal_record'),
    statuses: [1, 2, 3, 4],
    ...FEISHU,
  },
  {
    share: 20_000,
    type: 'corehr.process.approver.updated_v2',
    body: approver('onboarding'),
    statuses: [1, 3],
    ...FEISHU,
  },
  {
    share: 20_000,
    type: 'corehr.process.updated_v2',
    body: v2('corehr.process.updated_v2', {
      process_id: PROCESS,
      status: STATUS,
      biz_type: 'renewal_record',
      flow_definition_id: 'people_7182520625066475540_7222929439175839532',
      properties: 1,
    }),
    statuses: [1, 2, 9],
    ...FEISHU,
  },
  {
    share: 9_900,
    type: 'approval_instance',
    body: {
      uuid: EVENT,
      ts: TIME,
      token: '',
      type: 'event_callback',
      event: {
        app_id: 'cli_9f5343c580712544',
        tenant_key: '2ca1d211f64f6438',
        type: 'approval_instance',
        approval_code: '7C468A54-8745-2245-9675-08B7C63E7A85',
        instance_code: PROCESS,
        status: 'APPROVED',
        operate_time: TIME,
        instance_operate_time: TIME,
      },
    },
    statuses: [0],
    ...FEISHU,
  },
  {
    share: 10_000,
    type: 'shop.order.closed',
    body: order('delivered to the door 已签收'),
    statuses: [0],
    silent: true,
    ...SHOP,
  },
  {
    share: 90,
    type: 'corehr.process.approver.updated_v2',
    body: approver('secondment'),
    statuses: [3],
    ...FEISHU,
  },
  { share: 10, type: 'shop.order.closed', body: order('zebra audit 加急核查'), statuses: [0], ...SHOP },
];

const arrayLiteral = (terms) => `{${terms.map((term) => `"${term.replace(/[\\"]/g, '\\$&')}"`).join(',')}}`;

/** Fills an empty, migrated database. `note` is told how far it is. */
export async function makeData(dataSource, catalogue, { events, ruleSet, note }) {
  const run = dataSource.createQueryRunner();
  const step = async (name, sql, parameters) => {
    const started = performance.now();
    await run.query(sql, parameters);
    note(`${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  };
  const chunks = async (name, sql) => {
    for (let from = 1; from <= events; from += CHUNK) {
      const to = Math.min(events, from + CHUNK - 1);
      await step(`${name} ${to} of ${events}`, sql, [from, to]);
    }
  };
  const end = Date.now() - 60_000;
  const begin = end - DAYS * 86_400_000;
  await run.query('set statement_timeout = 0');
  await run.query('set synchronous_commit = off');
  await run.query('select ensure_partitions($1::date, $2::date)', [dateOf(begin), dateOf(end)]);
  await run.query(
    `create temp table kind (kind int, low int, high int, type text, origin text, source text, root text, transport text,
                             silent boolean, body text, terms text, statuses int[])`,
  );
  let low = 0;
  for (const [index, kind] of KINDS.entries()) {
    const root = `${kind.root}:${PROCESS}`;
    const stored = {
      id: '',
      receivedAt: new Date(),
      origin: kind.origin,
      eventId: EVENT,
      eventType: kind.type,
      source: kind.source,
      createTime: new Date(),
      rootEntity: root,
      raw: Buffer.from(JSON.stringify(kind.body)),
      content: null,
      transport: kind.transport,
      erasedAt: null,
    };
    await run.query('insert into kind values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)', [
      index,
      low,
      low + kind.share,
      kind.type,
      kind.origin,
      kind.source,
      kind.root,
      kind.transport && JSON.stringify(kind.transport),
      kind.silent ?? false,
      JSON.stringify(kind.body),
      arrayLiteral(termsOf(stored, catalogue.find(kind.type))),
      kind.statuses,
    ]);
    low += kind.share;
  }
  // 60 % match, 30 % do not, 8 % cannot be told, 2 % fail; nothing listens to some types.
  await step(
    'numbers',
    `create temp table made as
     select n, kind, ms, process, status, event_id, silent,
            (lpad(to_hex(ms), 12, '0') || '7' || substr(event_id, 1, 3) || '8' || substr(event_id, 4, 15))::uuid as id,
            case when silent then 1 when luck < 60 then 0 when luck < 90 then 1 when luck < 98 then 2 else 3 end as verdict,
            case when n > $1 - 300 then 'undecided' when n > $1 - 400 then 'waiting' when n % 3000 = 7 then 'quarantined' else 'decided' end as state
       from (select n, k.kind, k.silent, md5(n::text) as event_id, ($2 + (n::float8 / $1) * $3)::bigint as ms,
                    '7' || lpad((n * 31 % greatest($1 / 2, 1))::text, 18, '0') as process,
                    k.statuses[1 + n % cardinality(k.statuses)] as status, (n * 7919::bigint) % 100 as luck
               from generate_series(1, $1::int) as n
               join kind k on (n * 104729::bigint) % 100000 >= k.low and (n * 104729::bigint) % 100000 < k.high) as drawn`,
    [events, begin, end - begin],
  );
  await step('numbers, index', 'create index on made (n); ');
  await step('analyze', 'analyze made');
  const filled = (what) =>
    `replace(replace(replace(replace(replace(${what}, '${PROCESS}', m.process), '${TASK}', '6' || lpad(m.n::text, 18, '0')), '${EVENT}', m.event_id), '${TIME}', m.ms::text), '${STATUS}', m.status::text)`;
  const from = 'from made m join kind k on k.kind = m.kind where m.n between $1 and $2';
  await chunks(
    'events',
    `insert into events (id, received_at, origin, event_id, event_type, source, create_time, root_entity, raw, transport)
     select m.id, to_timestamp(m.ms / 1000.0), k.origin, m.event_id, k.type, k.source, to_timestamp(m.ms / 1000.0),
            k.root || ':' || m.process, convert_to(${filled('k.body')}, 'UTF8'), k.transport::json ${from}`,
  );
  await chunks(
    'keys of events',
    `insert into event_keys (origin, event_id, id, lane, order_time, status_rank, state, reason)
     select k.origin, m.event_id, m.id, m.n % 256, m.ms, 1, m.state,
            case m.state when 'quarantined' then 'FAILED: made for the bench' end ${from}`,
  );
  await chunks(
    'terms',
    `insert into event_search (id, terms)
     select m.id, ${filled('k.terms')}::text[] ||
            case m.state when 'undecided' then ${sqlTerms('undecided', null)} when 'waiting' then ${sqlTerms('waiting', null)}
                         when 'quarantined' then ${sqlTerms('quarantined', null)}
                         else case m.verdict ${[0, 1, 2, 3].map((verdict) => `when ${verdict} then ${sqlTerms('decided', countsOf(verdict))}`).join(' ')} end end
       ${from}`,
  );
  await step(
    'open events',
    `insert into event_search_open (id) select id from made where state in ('undecided', 'waiting')`,
  );
  await step(
    'progress',
    `update event_search_progress set through = (select id from made where ms < $1 order by id desc limit 1)`,
    [end - 15_000],
  );
  await chunks(
    'evaluations',
    `insert into evaluations (event_id, occasion, decided_at, rule_set, verdicts, inputs, matched, unknown, errors)
     select m.id, 'live', to_timestamp((m.ms + 40) / 1000.0), '${ruleSet}',
            case m.verdict when 0 then '[{"rule":"rule-1","verdict":"matched"}]'
                           when 2 then '[{"rule":"rule-1","verdict":"unknown","missing":["amount"]}]'
                           when 3 then '[{"rule":"rule-1","verdict":"error","error":"made for the bench"}]' else '[]' end::json,
            json_build_object('now', m.ms + 40, 'timezone', 'Asia/Shanghai'),
            (m.verdict = 0)::int, (m.verdict = 2)::int, (m.verdict = 3)::int
       ${from} and m.state = 'decided'`,
  );
  // Of 40 rules the first has a fifth of all deliveries, the last next to none; each sends to one target.
  await step(
    'numbers of deliveries',
    `create temp table sent as
     select d as d, m.n, m.id as event_id, k.root || ':' || m.process as entity, m.ms + 50 as ms, k.origin || '/' || m.event_id as cause,
            (lpad(to_hex(m.ms + 50), 12, '0') || '7' || substr(md5(m.n || '.' || d), 1, 3) || '9' || substr(md5(m.n || '.' || d), 4, 15))::uuid as id,
            (40 * power(((m.n * 13 + d * 7919::bigint) % 10007) / 10007.0, 2))::int as rule,
            (m.n * 97 + d * 31::bigint) % 10000 as luck
       from made m join kind k on k.kind = m.kind, generate_series(1, ${PER_MATCH} + (m.n % 9 < 5)::int) as d
      where m.verdict = 0 and m.state = 'decided'`,
  );
  await step('numbers of deliveries, index', 'create index on sent (n); ');
  await step('analyze', 'analyze sent');
  const rule = `'rule-' || s.rule`;
  const kind = `case when s.rule % 10 < 6 then 'http' when s.rule % 10 < 8 then 'feishu-message' when s.rule % 10 = 8 then 'email' else 'feishu-bot' end`;
  const target = `${kind} || ':' || case when s.rule % 10 = 8 then 'hr-' || s.rule || '@corp.example' else 'target-' || s.rule || '.corp.example' end`;
  await chunks(
    'deliveries',
    `insert into deliveries (id, action_key, event_id, occasion, rule, action, kind, target, entity, cause, generation, created_at, request)
     select s.id, substr(md5(s.id::text) || md5(s.cause), 1, 40), s.event_id, 'live', ${rule}, 'action-' || s.d, ${kind}, ${target}, s.entity, s.cause, 0,
            to_timestamp(s.ms / 1000.0),
            json_build_object('kind', ${kind}, 'retry', null, 'secrets', json_build_array(), 'content',
              json_build_object('method', 'POST', 'url', 'https://target-' || s.rule || '.corp.example/hooks/approval', 'headers', json_build_object('content-type', 'application/json'),
                'body', json_build_object('process', s.entity, 'text', 'The approval is done 审批已完成', 'cause', s.cause), 'timeoutMs', 10000, 'success', null))
       from sent s where s.n between $1 and $2`,
  );
  // 98 % delivered; nothing of rule 0 is dead.
  const state = `case when s.luck < 9800 then 'delivered' when s.luck < 9900 then case s.rule when 0 then 'delivered' else 'dead' end
                      when s.luck < 9940 then 'held' when s.luck < 9965 then 'deferred' when s.luck < 9980 then 'cancelled' else 'pending' end`;
  await chunks(
    'keys of deliveries',
    `insert into action_keys (key, id, state, due_at, attempt, code, reason, updated_at, rule, action, target)
     select substr(md5(s.id::text) || md5(s.cause), 1, 40), s.id, ${state}, case when ${state} = 'pending' then now() + interval '1 day' else to_timestamp(s.ms / 1000.0) end, 1,
            case when ${state} = 'dead' then 'HTTP_500' end, case when ${state} = 'dead' then 'HTTP 500 Internal Server Error' end, to_timestamp((s.ms + 120) / 1000.0), ${rule}, 'action-' || s.d, ${target}
       from sent s where s.n between $1 and $2`,
  );
  await chunks(
    'attempts',
    `insert into attempts (delivery_id, attempt, started_at, duration_ms, outcome, code, detail, status, answer, instance)
     select s.id, 1, to_timestamp((s.ms + 60) / 1000.0), 40, case ${state} when 'dead' then 'permanent' else 'delivered' end,
            case ${state} when 'dead' then 'HTTP_500' end, case ${state} when 'dead' then 'HTTP 500' else 'HTTP 200' end,
            case ${state} when 'dead' then 500 else 200 end, '{"ok":true}', null
       from sent s where s.n between $1 and $2 and s.d = 1`,
  );
  await step(
    'targets',
    `insert into targets (target, rule, kind, last_delivered_at, last_failed_at, last_code)
     select target, rule, kind, max(created_at), null, null from deliveries group by target, rule, kind`,
  );
  await run.query('drop table made, sent, kind');
  await run.release();
}

function countsOf(verdict) {
  return { matched: Number(verdict === 0), unknown: Number(verdict === 2), errors: Number(verdict === 3) };
}

function sqlTerms(state, evaluation) {
  return `'${arrayLiteral(standingTerms(state, evaluation))}'::text[]`;
}

/** Compares the made terms of some events with those the indexer would write; throws when one differs. */
export async function checkTerms(dataSource, store, catalogue, sample = 300) {
  const rows = await dataSource.query(
    `select k.id, k.state, s.terms, v.matched, v.unknown, v.errors
       from event_keys k join event_search s on s.id = k.id left join evaluations v on v.event_id = k.id and v.occasion = 'live'
      where k.lane in (select (random() * 255)::int from generate_series(1, 4)) order by random() limit $1`,
    [sample],
  );
  for (const row of rows) {
    const event = await store.find(row.id);
    const evaluation = row.matched === null ? null : row;
    const right = new Set([
      ...termsOf(event, catalogue.find(event.eventType)),
      ...standingTerms(row.state, evaluation),
    ]);
    const made = new Set(row.terms);
    const different = [...right]
      .filter((term) => !made.has(term))
      .concat([...made].filter((term) => !right.has(term)));
    if (different.length > 0) throw new Error(`the terms of ${row.id} differ: ${different.join(', ')}`);
  }
  return rows.length;
}

const dateOf = (ms) => new Date(ms).toISOString().slice(0, 10);
