import { it } from '@jest/globals';
import { connect } from 'node:net';
import { startService } from '../support/app.js';
import { createTestDatabase } from '../support/database.js';
import { APP_SETTINGS, pushOfApprover } from '../support/feishu.js';
it('probes', async () => {
  const db = await createTestDatabase();
  const s = await startService({ DATABASE_URL: db.url, ROLE: 'ingest', ...APP_SETTINGS });
  const port = Number(new URL(s.url).port);
  const raw = (text: string | Buffer, halfClose = false, kill = false): Promise<string> => new Promise((resolve) => {
    const c = connect({ port, host: '127.0.0.1', allowHalfOpen: true }); let out = ''; const t0 = performance.now();
    const done = (why: string) => { clearTimeout(t); c.destroy(); resolve(`${why} ${Math.round(performance.now() - t0)}ms ${JSON.stringify(out.slice(0, 700))}`); };
    const t = setTimeout(() => done('OPEN'), 700);
    c.on('data', (d) => { out += d.toString('latin1'); }); c.on('end', () => done('END')); c.on('error', (e) => { out += ` ERR ${(e as NodeJS.ErrnoException).code}`; done('ERR'); });
    c.on('connect', () => { c.write(text); if (halfClose) c.end(); if (kill) c.resetAndDestroy(); if (kill) done('KILLED'); });
  });
  const p = pushOfApprover();
  const h = (o: Record<string, string> = {}) => Object.entries({ host: 'x', ...p.headers, 'content-length': String(p.body.length), ...o }).filter(([, v]) => v !== '-').map(([k, v]) => `${k}: ${v}\r\n`).join('');
  const cases: Record<string, [string | Buffer, boolean?, boolean?]> = {
    ok: [`POST /webhook/event HTTP/1.1\r\n${h()}\r\n${p.body}`],
    nohost: [`POST /webhook/event HTTP/1.1\r\n${h({ host: '-' })}\r\n${p.body}`],
    http10: [`POST /webhook/event HTTP/1.0\r\n${h({ host: '-' })}\r\n${p.body}`],
    garbage: ['garbage\r\n\r\n'], tls: [Buffer.from('160301020001000001fc0303', 'hex')], h2: ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    clte: [`POST /webhook/event HTTP/1.1\r\n${h({ 'transfer-encoding': 'chunked' })}\r\n0\r\n\r\n`],
    twocl: [`POST /webhook/event HTTP/1.1\r\n${h()}content-length: 3\r\n\r\n${p.body}`],
    badchunk: [`POST /webhook/event HTTP/1.1\r\n${h({ 'content-length': '-', 'transfer-encoding': 'chunked' })}\r\nzz\r\nabc\r\n`],
    badchunk2: [`POST /webhook/event HTTP/1.1\r\n${h({ 'content-length': '-', 'transfer-encoding': 'chunked' })}\r\n3\r\nabcdef\r\n0\r\n\r\n`],
    fold: [`POST /webhook/event HTTP/1.1\r\n${h()}x-a: b\r\n c\r\n\r\n${p.body}`],
    tefold: [`POST /webhook/event HTTP/1.1\r\n${h()}transfer-encoding:\r\n chunked\r\n\r\n${p.body}`],
    te2: [`POST /webhook/event HTTP/1.1\r\n${h({ 'content-length': '-', 'transfer-encoding': 'chunked, identity' })}\r\n0\r\n\r\n`],
    xchunked: [`POST /webhook/event HTTP/1.1\r\n${h({ 'content-length': '-', 'transfer-encoding': 'xchunked' })}\r\n0\r\n\r\n`],
    gzipchunked: [`POST /webhook/event HTTP/1.1\r\n${h({ 'content-length': '-', 'transfer-encoding': 'gzip, chunked' })}\r\n0\r\n\r\n`],
    spacecolon: [`POST /webhook/event HTTP/1.1\r\n${h()}x-b : c\r\n\r\n${p.body}`],
    clplus: [`POST /webhook/event HTTP/1.1\r\n${h({ 'content-length': '+5' })}\r\n${p.body}`],
    clneg: [`POST /webhook/event HTTP/1.1\r\n${h({ 'content-length': '-1' })}\r\n${p.body}`],
    clhex: [`POST /webhook/event HTTP/1.1\r\n${h({ 'content-length': '0x10' })}\r\n${p.body}`],
    clhuge: [`POST /webhook/event HTTP/1.1\r\n${h({ 'content-length': '99999999999999999999' })}\r\n${p.body}`],
    clbig: [`POST /webhook/event HTTP/1.1\r\n${h({ 'content-length': '2000000' })}\r\n${p.body}`],
    clbig20: [`POST /webhook/event HTTP/1.1\r\n${h({ 'content-length': '20000000' })}\r\n${'x'.repeat(20000000)}`],
    barelf: [`POST /webhook/event HTTP/1.1\n${h().replaceAll('\r\n', '\n')}\n${p.body}`],
    nul: [`POST /webhook/event HTTP/1.1\r\n${h()}x-b: a\0c\r\n\r\n${p.body}`],
    header64: [`POST /webhook/event HTTP/1.1\r\n${h()}x-b: ${'a'.repeat(65536)}\r\n\r\n${p.body}`],
    url64: [`POST /${'a'.repeat(65536)} HTTP/1.1\r\n${h()}\r\n${p.body}`],
    url8: [`POST /${'a'.repeat(8000)} HTTP/1.1\r\n${h()}\r\n${p.body}`],
    manyheaders: [`POST /webhook/event HTTP/1.1\r\n${h()}${'a:b\r\n'.repeat(2500)}\r\n${p.body}`],
    expect: [`POST /webhook/event HTTP/1.1\r\n${h({ expect: 'foo' })}\r\n${p.body}`],
    expect100: [`POST /webhook/event HTTP/1.1\r\n${h({ expect: '100-continue' })}\r\n${p.body}`],
    upgrade: [`POST /webhook/event HTTP/1.1\r\n${h({ connection: 'Upgrade', upgrade: 'websocket' })}\r\n${p.body}`],
    upgradeget: [`GET /webhook/event HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n`],
    connect: ['CONNECT 127.0.0.1:5432 HTTP/1.1\r\nhost: x\r\n\r\n'],
    absolute: [`POST http://evil.test/webhook/event HTTP/1.1\r\n${h()}\r\n${p.body}`],
    badurl: [`POST /webhook/%zz HTTP/1.1\r\n${h()}\r\n${p.body}`],
    badurl2: [`POST /webhook/event%00 HTTP/1.1\r\n${h()}\r\n${p.body}`],
    enc: [`POST /webhook/%65vent HTTP/1.1\r\n${h()}\r\n${p.body}`],
    star: [`OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n`],
    query: [`QUERY /webhook/event HTTP/1.1\r\n${h()}\r\n${p.body}`],
    method: [`FOO /webhook/event HTTP/1.1\r\n${h()}\r\n${p.body}`],
    get: [`GET /webhook/event HTTP/1.1\r\nhost: x\r\n\r\n`], put: [`PUT /webhook/event HTTP/1.1\r\n${h()}\r\n${p.body}`], trace: [`TRACE /webhook/event HTTP/1.1\r\nhost: x\r\n\r\n`], head: [`HEAD /webhook/event HTTP/1.1\r\nhost: x\r\n\r\n`],
    ctbad: [`POST /webhook/event HTTP/1.1\r\n${h({ 'content-type': ';' })}\r\n${p.body}`],
    ctnone: [`POST /webhook/event HTTP/1.1\r\n${h({ 'content-type': '-' })}\r\n${p.body}`],
    cttab: [`POST /webhook/event HTTP/1.1\r\n${h({ 'content-type': 'application/json\ta' })}\r\n${p.body}`],
    half: [`POST /webhook/event HTTP/1.1\r\n${h()}\r\n${p.body.slice(0, 20)}`, true],
    halfhead: [`POST /webhook/event HTTP/1.1\r\nhost: x`, true],
    halfok: [`POST /webhook/event HTTP/1.1\r\n${h()}\r\n${p.body}`, true],
    killed: [`POST /webhook/event HTTP/1.1\r\n${h()}\r\n${p.body.slice(0, 20)}`, false, true],
    chunkext: [`POST /webhook/event HTTP/1.1\r\n${h({ 'content-length': '-', 'transfer-encoding': 'chunked' })}\r\n3;${'a'.repeat(70000)}\r\nabc\r\n0\r\n\r\n`],
    pipe: [`POST /webhook/event HTTP/1.1\r\n${h()}\r\n${p.body}garbage\r\n\r\n`],
    nothing: [``, true],
  };
  for (const [n, [text, half, kill]] of Object.entries(cases)) {
    const before = s.log.lines.length;
    const out = await raw(text, half, kill);
    await new Promise((r) => setTimeout(r, 30));
    process.stdout.write(`${n.padEnd(12)} ${out}\n     LOG ${s.log.lines.slice(before).map((l) => `${l.level} ${JSON.stringify(l.fields).slice(0, 160)} ${l.message}`).join(' || ')}\n`);
  }
  await s.close(); await db.drop();
}, 60000);
