// Every list and search of the admin API: each filter, frequent and rare values, what excludes each other, and pages
// far back.
const DAY = 86_400_000;

/** Names and paths, with ids that are in the database. */
export async function questionsOf(dataSource, events) {
  const [deep] = await dataSource.query(
    'select id, event_id, root_entity from events order by id limit 1 offset $1',
    [Math.floor(events * 0.2)],
  );
  const [sent] = await dataSource.query(
    'select id, action_key, event_id, entity from deliveries where id < $1 order by id desc limit 1',
    [deep.id],
  );
  const cursor = Buffer.from(deep.id).toString('base64url');
  const ago = (days) => new Date(Date.now() - days * DAY).toISOString();
  const ask = (list, queries) =>
    queries.map((query) => {
      const text = Object.entries(query)
        .map(([key, value]) => `${key}=${encodeURIComponent(value)}`)
        .join('&');
      const shown = Object.entries(query)
        .map(([key, value]) => `${key}=${key === 'cursor' ? '…' : value}`)
        .join(' ');
      return { name: `${list} ${shown}`.trim().slice(0, 58), path: `/api/v1/${list}${text && `?${text}`}` };
    });
  const process = deep.root_entity.split(':')[1];
  return [
    ...ask('events', [
      {},
      { limit: '200' },
      { cursor },
      { type: 'corehr.process.approver.updated_v2' },
      { type: 'corehr.process.*' },
      { type: 'shop.order.closed' },
      { biz_type: 'renewal_record' },
      { biz_type: 'secondment' },
      { biz_type: 'none' },
      { status: '3' },
      { status: '已完成' },
      { status: 'rejected' },
      { entity: deep.root_entity },
      { entity: process },
      { text: 'renewal' },
      { text: 'zebra' },
      { text: '加急核查' },
      { text: '已签收' },
      { text: 'people approval renewal record' },
      { text: 'nothinglikethis' },
      { text: process },
      { text: deep.id },
      { source: 'webhook' },
      { origin: 'webhook:shop' },
      { state: 'undecided' },
      { state: 'decided' },
      { state: 'quarantined' },
      { verdict: 'matched' },
      { verdict: 'not matched' },
      { verdict: 'unknown' },
      { verdict: 'error' },
      { since: ago(11), until: ago(10) },
      { since: ago(1 / 24) },
      { type: 'corehr.process.*', status: 'done', verdict: 'matched' },
      { type: 'approval_instance', state: 'decided' },
      { state: 'quarantined', type: 'shop.order.closed' },
      { state: 'waiting', type: 'corehr.process.*' },
      { state: 'decided', verdict: 'error', biz_type: 'secondment' },
      { type: 'shop.order.closed', verdict: 'unknown' },
      { biz_type: 'onboarding', status: 'rejected' },
      { type: 'approval_instance', biz_type: 'renewal_record' },
      { type: 'shop.order.closed', source: 'feishu-webhook', verdict: 'error', text: 'renewal' },
      { type: 'approval_instance', since: ago(11), until: ago(10) },
      { text: 'zebra', since: ago(20), until: ago(10) },
      { type: 'corehr.process.approver.updated_v2', cursor },
      { text: 'zebra', cursor },
      { verdict: 'error', cursor },
      { biz_type: 'onboarding', status: 'rejected', cursor },
    ]),
    { name: 'one event with its deliveries', path: `/api/v1/events/${sent.event_id}` },
    { name: 'one event by the sender’s id', path: `/api/v1/events/${deep.event_id}` },
    { name: 'one explanation', path: `/api/v1/events/${sent.event_id}/evaluations` },
    ...ask('deliveries', [
      {},
      { limit: '200' },
      { cursor },
      ...['delivered', 'dead', 'held', 'deferred', 'pending', 'delivering', 'cancelled'].map((state) => ({
        state,
      })),
      { rule: 'rule-0' },
      { rule: 'rule-40' },
      { rule: 'none' },
      { action: 'action-1' },
      { kind: 'email' },
      { target: 'http:target-10.corp.example' },
      { entity: sent.entity },
      { event: sent.event_id },
      { since: ago(11), until: ago(10) },
      { text: sent.id },
      { text: sent.action_key },
      { text: sent.entity },
      { text: 'rule-0' },
      { text: 'http:target-10.corp.example' },
      { text: 'nothinglikethis' },
      { rule: 'rule-0', kind: 'email' },
      { rule: 'rule-9', action: 'action-2', kind: 'email', target: 'http:target-10.corp.example' },
      { state: 'dead', rule: 'rule-0' },
      { state: 'dead', rule: 'rule-9' },
      { state: 'dead', kind: 'email' },
      { state: 'dead', action: 'none' },
      { state: 'pending', action: 'none' },
      { state: 'delivered', rule: 'rule-40' },
      { state: 'delivered', rule: 'rule-0', kind: 'email' },
      { state: 'dead', event: sent.event_id },
      { state: 'dead', since: ago(11), until: ago(10) },
      { rule: 'rule-9', kind: 'email', since: ago(11), until: ago(10) },
      { rule: 'rule-0', cursor },
      { state: 'dead', cursor },
      { rule: 'rule-0', kind: 'email', cursor },
    ]),
    { name: 'one delivery with its attempts', path: `/api/v1/deliveries/${sent.id}` },
    ...ask('evaluations', [
      {},
      { verdict: 'matched' },
      { verdict: 'not matched' },
      { verdict: 'unknown' },
      { verdict: 'error' },
      { occasion: 'none' },
      { since: ago(1 / 24) },
      { since: ago(11), until: ago(10) },
      { verdict: 'error', since: ago(11), until: ago(10) },
      { verdict: 'error', since: ago(20) },
      { verdict: 'error', cursor },
      { cursor },
    ]),
    ...ask('targets', [{}]),
    ...ask('sources', [{}]),
    ...ask('rule-sets', [{}]),
    ...ask('rules', [{}]),
    ...ask('catalogue', [{}]),
  ];
}
