/* global document, fetch, setTimeout */
// Everything that is shown goes through textContent: what others sent is text here, never markup.

const STATES = {
  pending: '进行中 / pending',
  done: '成功 / done',
  'given-up': '放弃 / given up',
  ready: '就绪 / ready',
  'no ping yet': '未心跳 / no ping yet',
  closing: '关闭中 / closing',
  'half-open': '半开 / half-open',
};
const OUTCOMES = {
  success: '成功 / success',
  failure: '失败 / failure',
  timeout: '超时 / timeout',
  dropped: '中断 / dropped',
};
const MOODS = {
  done: 'good',
  ready: 'good',
  success: 'good',
  pending: 'dim',
  'no ping yet': 'dim',
  closing: 'dim',
};

const find = (id) => document.getElementById(id);

function cell(text, mood) {
  const td = document.createElement('td');
  td.textContent = text;
  if (mood) td.className = mood;
  return td;
}

function fill(id, rows, none) {
  const body = find(id).tBodies[0];
  const shown = rows.map((cells) => {
    const row = document.createElement('tr');
    row.append(...cells);
    return row;
  });
  if (shown.length === 0) {
    const row = document.createElement('tr');
    const td = cell(none, 'dim');
    td.colSpan = find(id).tHead.rows[0].cells.length;
    row.append(td);
    shown.push(row);
  }
  body.replaceChildren(...shown);
}

function deliveries(attempts) {
  const td = document.createElement('td');
  for (const { via, connection, outcome, code, ms } of attempts) {
    const line = document.createElement('div');
    line.className = MOODS[outcome] ?? 'bad';
    const where =
      via === 'webhook' ? 'webhook' : connection === null ? '无连接 / no connection' : `#${connection}`;
    line.textContent = `${where}: ${OUTCOMES[outcome] ?? outcome}${code === null ? '' : ` ${code}`}, ${Math.round(ms)} ms`;
    td.append(line);
  }
  return td;
}

function show(state) {
  find('url').textContent = state.url;
  find('app').textContent = state.appId;
  find('throttle').setAttribute('aria-pressed', String(state.throttled));
  fill(
    'connections',
    state.connections.map((one) => [
      cell(String(one.id)),
      cell(STATES[one.state] ?? one.state, MOODS[one.state] ?? 'bad'),
      cell(String(one.pings)),
    ]),
    '没有连接 / nobody is connected',
  );
  fill(
    'pushes',
    state.pushes.newest.map((one) => [
      cell(one.eventId),
      cell(STATES[one.state] ?? one.state, MOODS[one.state] ?? 'bad'),
      deliveries(one.attempts),
    ]),
    '还没有 / none yet',
  );
  fill(
    'messages',
    [
      ...state.messages.newest.map((one) => [
        cell(`${one.receiveIdType} ${one.receiveId}`),
        cell(one.msgType),
        cell(one.content),
      ]),
      ...state.botMessages.newest.map(({ hook, body }) => [
        cell(`bot ${hook}`),
        cell(String(body?.msg_type)),
        cell(JSON.stringify(body?.content ?? body?.card)),
      ]),
    ],
    '还没有 / none yet',
  );
  fill(
    'calls',
    state.calls.newest.map((one) => [
      cell(new Date(one.at).toLocaleTimeString()),
      cell(one.path),
      cell(String(one.status), one.status === 200 ? '' : 'bad'),
      cell(String(one.code), one.code === 0 ? '' : 'bad'),
    ]),
    '还没有 / none yet',
  );
  find('pushes-count').textContent = String(state.pushes.count);
  find('calls-count').textContent = String(state.calls.count);
  find('messages-count').textContent = String(state.messages.count + state.botMessages.count);
}

async function refresh() {
  try {
    const answer = await fetch('/_fake/state');
    show(await answer.json());
    find('alive').textContent = '';
  } catch {
    find('alive').textContent = '已停止 / stopped';
  }
}

async function order(wanted) {
  try {
    const answer = await fetch('/_fake/do', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(wanted),
    });
    const { error = '' } = await answer.json();
    find('message').textContent = error;
  } catch {
    find('message').textContent = '已停止 / stopped';
  }
  await refresh();
}

for (const button of document.querySelectorAll('[data-push]')) {
  button.addEventListener('click', () => {
    const { push } = button.dataset;
    void order({
      do: 'push',
      status: push === '1-3' ? push : Number(push),
      via: find('via').value,
      duplicates: Number(find('duplicates').value),
      fragments: Number(find('fragments').value),
    });
  });
}
for (const button of document.querySelectorAll('[data-drop]')) {
  button.addEventListener('click', () => {
    void order({ do: 'drop', how: button.dataset.drop });
  });
}
find('refuse').addEventListener('click', () => {
  void order({ do: 'refuse-next-discovery' });
});
find('throttle').addEventListener('click', () => {
  void order({ do: 'throttle', on: find('throttle').getAttribute('aria-pressed') !== 'true' });
});

async function keepFresh() {
  if (!document.hidden) await refresh();
  setTimeout(() => void keepFresh(), 1000);
}
void keepFresh();
