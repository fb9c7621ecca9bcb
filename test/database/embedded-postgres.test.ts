import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Pool } from 'pg';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/database/embedded-postgres.js';

const asRoot = process.getuid?.() === 0;
const inLinux = process.platform === 'linux';
const root = realpathSync(mkdtempSync(join(tmpdir(), 'aftersign-pg-')));
const running = new Set<EmbeddedPostgres>();
const lines: string[] = [];
/** Where a test that does not care about its folder keeps the server, so that not each has to make a cluster. */
const shared = join(root, 'shared');
let count = 0;

beforeAll(() => {
  // mkdtemp makes it 0700, and the server of root runs as another user.
  chmodSync(root, 0o755);
});

afterEach(async () => {
  for (const server of running) await server.stop();
  running.clear();
  lines.length = 0;
});

afterAll(() => {
  expect(serversUnder(root)).toEqual([]);
  rmSync(root, { recursive: true, force: true });
});

async function start(dataDir: string): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, log: (line) => lines.push(line) });
  running.add(server);
  return server;
}

function newFolder(): string {
  count += 1;
  return join(root, `data-${count}`);
}

function addressOf(server: EmbeddedPostgres) {
  if ('url' in server.url) throw new Error('expected the parts of an address');
  return server.url;
}

async function ask(server: EmbeddedPostgres, sql: string): Promise<Record<string, unknown> | undefined> {
  const client = new Client(addressOf(server));
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows[0];
  } finally {
    await client.end();
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('waited too long');
    await sleep(20);
  }
}

async function succeeds(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}

const pidFile = (dataDir: string) => join(dataDir, 'postgres/data/postmaster.pid');
const postmasterOf = (dataDir: string) =>
  existsSync(pidFile(dataDir)) ? Number.parseInt(readFileSync(pidFile(dataDir), 'utf8'), 10) || 0 : 0;
const permissionsOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

/** Dead postmasters that still count as processes are not servers. */
function serversUnder(folder: string): string[] {
  const { stdout } = spawnSync('ps', ['-e', '-ww', '-o', 'state=,args='], { encoding: 'utf8' });
  return stdout.split('\n').filter((line) => line.includes(`-D ${folder}`) && !line.startsWith('Z'));
}

/** Ends the server as a power cut would, without the supervision noticing: lock files stay behind. */
async function crash(dataDir: string, server: EmbeddedPostgres): Promise<void> {
  process.kill(postmasterOf(dataDir), 'SIGKILL');
  await server.stop();
  await until(() => serversUnder(dataDir).length === 0);
}

describe('a new database', () => {
  const dataDir = join(root, 'Ünsere Daten, 签批 "1"');

  it('is UTF-8 with the builtin locale, reached by a socket and its own password only', async () => {
    const server = await start(dataDir);
    expect(
      await ask(
        server,
        `select current_database() as database, pg_encoding_to_char(encoding) as encoding, datlocprovider::text as provider,
                datlocale as locale, current_setting('listen_addresses') as tcp, current_setting('timezone') as timezone,
                current_setting('fsync') as fsync, current_setting('max_connections') as connections,
                upper('ü签') as upper
           from pg_database where datname = current_database()`,
      ),
    ).toEqual({
      database: 'aftersign',
      encoding: 'UTF8',
      provider: 'b',
      locale: 'C.UTF-8',
      tcp: '',
      timezone: 'UTC',
      fsync: 'on',
      connections: '200',
      upper: 'Ü签',
    });
    const stranger = new Client({ ...addressOf(server), password: 'password' });
    await expect(stranger.connect()).rejects.toMatchObject({ code: '28P01' });
    expect(lines).toEqual([
      expect.stringMatching(/^PostgreSQL 18 runs on the files in .*postgres \(created, process \d+\)$/),
    ]);
  });

  it('keeps its folder, password and socket from others', async () => {
    await start(dataDir);
    const home = join(dataDir, 'postgres');
    expect(permissionsOf(home)).toBe('700');
    expect(permissionsOf(join(home, 'socket'))).toBe('700');
    expect(permissionsOf(join(home, 'socket/.s.PGSQL.5432'))).toBe('700');
    expect(permissionsOf(join(home, 'password'))).toBe('600');
    expect(readFileSync(join(home, 'password'), 'utf8')).toMatch(/^[\w-]{43}$/);
    expect(permissionsOf(dataDir)).toBe('755');
    if (asRoot) expect(statSync(home).uid).toBe(65534);
  });

  it('ends with the process that uses it, once', async () => {
    const server = await start(dataDir);
    await Promise.all([server.stop(), server.stop()]);
    expect(serversUnder(dataDir)).toEqual([]);
    expect(existsSync(pidFile(dataDir))).toBe(false);
    expect(lines.filter((line) => line.includes('stopped'))).toHaveLength(1);
  });

  it('is made anew when making it was interrupted, and the leftovers go', async () => {
    const interrupted = newFolder();
    const dead = spawnSync('true').pid;
    for (const pid of [dead, process.pid]) {
      mkdirSync(join(interrupted, `postgres.new-${pid}-0a1b2c3d/data/base`), { recursive: true });
      writeFileSync(join(interrupted, `postgres.new-${pid}-0a1b2c3d/data/PG_VERSION`), '18\n');
    }
    mkdirSync(join(interrupted, `postgres.new-${process.ppid}-0a1b2c3d`));
    await start(interrupted);
    expect(readdirSync(interrupted).sort()).toEqual(['postgres', `postgres.new-${process.ppid}-0a1b2c3d`]);
  });

  it('has its socket elsewhere when its path is too long for one', async () => {
    const long = join(root, 'x'.repeat(100));
    const first = await start(long);
    const { host } = addressOf(first);
    expect(dirname(host)).toBe(realpathSync(tmpdir()));
    expect(permissionsOf(host)).toBe('700');
    await first.stop();
    rmSync(host, { recursive: true });
    const second = await start(long);
    expect(addressOf(second)).toEqual(addressOf(first));
    expect(await ask(second, 'select 1 as one')).toEqual({ one: 1 });
    await second.stop();
    rmSync(host, { recursive: true });
    mkdirSync(join(root, 'target'), { recursive: true });
    writeFileSync(host, 'not a folder');
    await expect(start(long)).rejects.toMatchObject({ name: 'DatabaseError', code: 'DATABASE_FILES' });
    rmSync(host);
  });
});

describe('several processes', () => {
  it('that start at once share one server, which the last one stops', async () => {
    const dataDir = newFolder();
    const [first, second, third] = await Promise.all([start(dataDir), start(dataDir), start(dataDir)]);
    expect(serversUnder(dataDir)).toHaveLength(1);
    expect(lines.filter((line) => line.includes('adopted'))).toHaveLength(2);
    expect(readdirSync(dataDir)).toEqual(['postgres']);
    const pid = postmasterOf(dataDir);
    await first.stop();
    await second.stop();
    expect(await ask(third, 'select 1 as one')).toEqual({ one: 1 });
    expect(postmasterOf(dataDir)).toBe(pid);
    await third.stop();
    expect(serversUnder(dataDir)).toEqual([]);
  });

  it('that come later adopt the server, and a stop leaves it to whoever is connected', async () => {
    const first = await start(shared);
    const pid = postmasterOf(shared);
    const second = await start(shared);
    expect(postmasterOf(shared)).toBe(pid);
    expect(addressOf(second)).toEqual(addressOf(first));
    const client = new Client(addressOf(second));
    await client.connect();
    await first.stop();
    expect(lines.at(-1)).toContain('keeps running');
    expect((await client.query('select 1')).rowCount).toBe(1);
    await client.end();
    await second.stop();
    expect(serversUnder(shared)).toEqual([]);
  });

  it('that stop at the same time leave nothing behind', async () => {
    const servers = [await start(shared), await start(shared), await start(shared)];
    await Promise.all(servers.map((server) => server.stop()));
    expect(serversUnder(shared)).toEqual([]);
  });
});

describe('a server that was killed', () => {
  it('starts again with what it had acknowledged', async () => {
    const first = await start(shared);
    await ask(first, 'create table if not exists kept as select 42 as value');
    await crash(shared, first);
    expect(existsSync(pidFile(shared))).toBe(true);
    const second = await start(shared);
    expect(await ask(second, 'select value from kept')).toEqual({ value: 42 });
    expect(lines.at(-1)).toContain('(started');
  });

  it('is started again while it is used, for every process, and pools reconnect', async () => {
    const [first, second] = [await start(shared), await start(shared)];
    const before = postmasterOf(shared);
    const pool = new Pool(addressOf(second));
    pool.on('error', () => undefined);
    try {
      for (let round = 0, pid = before; round < 3; round += 1) {
        await pool.query('select 1');
        const killed = Date.now();
        process.kill(pid, 'SIGKILL');
        // The backend of the killed server may still answer once, so an answer alone proves nothing.
        await until(() => ![0, pid].includes(postmasterOf(shared)) && succeeds(pool.query('select 1')));
        expect(Date.now() - killed).toBeLessThan(5000);
        pid = postmasterOf(shared);
        // Both have to have noticed, or the next kill could come while one still looks at this one.
        await until(() => lines.filter((line) => line.includes(`process ${pid})`)).length === 2);
      }
      expect(serversUnder(shared)).toHaveLength(1);
      expect(lines.some((line) => line.includes(`process ${before}) ended unexpectedly`))).toBe(true);
    } finally {
      await pool.end();
    }
    await first.stop();
    await second.stop();
    expect(serversUnder(shared)).toEqual([]);
  });

  it('is not started again once it was told to stop', async () => {
    const server = await start(shared);
    process.kill(postmasterOf(shared), 'SIGKILL');
    await server.stop();
    await until(() => serversUnder(shared).length === 0);
    expect(lines.filter((line) => line.includes('again'))).toEqual([]);
  });

  it('is noticed also when only one of its processes died, and all connections with it', async () => {
    const server = await start(shared);
    const pid = postmasterOf(shared);
    const client = new Client(addressOf(server));
    client.on('error', () => undefined);
    await client.connect();
    const backend = (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]!.pid;
    process.kill(backend, 'SIGKILL');
    await until(() =>
      ask(server, `select 1 from pg_stat_activity where application_name = 'aftersign-server'`).then(
        (row) => row !== undefined,
        () => false,
      ),
    );
    expect(postmasterOf(shared)).toBe(pid);
  });
});

describe('a lock file that was left behind', () => {
  /** A process that ended and whose parent does not collect it. */
  async function zombie(): Promise<{ pid: number; bury: () => void }> {
    const parent = spawn('sh', ['-c', 'true & echo $!; exec sleep 600'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const pid = await new Promise<number>((resolve) => {
      parent.stdout.once('data', (data: Buffer) => {
        resolve(Number(data.toString()));
      });
    });
    return { pid, bury: () => parent.kill('SIGKILL') };
  }

  async function leaveBehind(change: (text: string) => string): Promise<void> {
    const server = await start(shared);
    const socketLock = join(addressOf(server).host, '.s.PGSQL.5432.lock');
    const [text, socketText] = [readFileSync(pidFile(shared), 'utf8'), readFileSync(socketLock, 'utf8')];
    await server.stop();
    writeFileSync(pidFile(shared), change(text), { mode: 0o600 });
    writeFileSync(socketLock, change(socketText), { mode: 0o600 });
    if (asRoot) spawnSync('chown', ['65534:65534', pidFile(shared), socketLock]);
  }

  it.each<[string, (text: string) => string]>([
    ['names a process of somebody else', (text) => text.replace(/^\d+/, String(process.pid))],
    ['is empty', () => ''],
    ['is garbage', () => 'not a pid\nat all'],
    ['is full of zeros', (text) => '\0'.repeat(text.length)],
    ['names a process that is gone', (text) => text.replace(/^\d+/, String(spawnSync('true').pid))],
  ])('%s: the server starts', async (_, change) => {
    await leaveBehind(change);
    const started = Date.now();
    const server = await start(shared);
    expect(await ask(server, 'select 1 as one')).toEqual({ one: 1 });
    expect(Date.now() - started).toBeLessThan(5000);
    expect(lines.at(-1)).toContain('(started');
  });

  (inLinux ? it : it.skip)('names a zombie: the server starts without waiting for its end', async () => {
    const { pid, bury } = await zombie();
    try {
      await leaveBehind((text) => text.replace(/^\d+/, String(pid)));
      await start(shared);
      expect(lines.at(-1)).toContain('(started');
    } finally {
      bury();
    }
  });

  (inLinux ? it : it.skip)('was damaged under a live server: that server is adopted', async () => {
    const first = await start(shared);
    const text = readFileSync(pidFile(shared), 'utf8');
    writeFileSync(pidFile(shared), '');
    await start(shared);
    writeFileSync(pidFile(shared), text);
    expect(lines.at(-1)).toContain('adopted');
    await first.stop();
  });

  it('of a start that was killed does not hold up the next', async () => {
    const server = await start(shared);
    await server.stop();
    writeFileSync(join(shared, 'postgres/starting'), `${spawnSync('true').pid} feedfeedfeedfeed`);
    await (await start(shared)).stop();
    writeFileSync(join(shared, 'postgres/starting'), `${process.pid} feedfeedfeedfeed`);
    await start(shared);
    expect(existsSync(join(shared, 'postgres/starting'))).toBe(false);
  });
});

describe('files that cannot be used', () => {
  const dataDir = join(root, 'refused');
  const home = join(dataDir, 'postgres');

  it.each([
    ['PG_VERSION', 'data/PG_VERSION', '17\n', 'DATABASE_FILES_VERSION', /written by PostgreSQL 17/],
    ['no data', 'data', null, 'DATABASE_FILES', /restore .* from a backup/],
    ['no password', 'password', null, 'DATABASE_FILES', /restore it from a backup/],
    ['another password', 'password', 'wrong', 'DATABASE_FILES', /refuses the password/],
  ])('are named, with the mend: %s', async (_, name, content, code, message) => {
    await (await start(dataDir)).stop();
    const path = join(home, name);
    renameSync(path, join(root, 'kept'));
    if (content !== null) writeFileSync(path, content);
    if (content !== null && asRoot) spawnSync('chown', ['65534:65534', path]);
    await expect(start(dataDir)).rejects.toMatchObject({
      name: 'DatabaseError',
      code,
      message: expect.stringMatching(message) as unknown,
    });
    expect(serversUnder(dataDir)).toEqual([]);
    rmSync(path, { force: true });
    renameSync(join(root, 'kept'), path);
  });

  it('are used from the place that was recorded, and that place must be there', async () => {
    await (await start(dataDir)).stop();
    const elsewhere = join(root, 'elsewhere');
    renameSync(home, elsewhere);
    writeFileSync(join(dataDir, 'postgres.location'), `${elsewhere}\n`);
    await (await start(dataDir)).stop();
    expect(lines.at(-1)).toContain(elsewhere);
    expect(existsSync(home)).toBe(false);
    renameSync(elsewhere, home);
    await expect(start(dataDir)).rejects.toMatchObject({ code: 'DATABASE_FILES' });
    rmSync(join(dataDir, 'postgres.location'));
  });
});

(asRoot && inLinux ? describe : describe.skip)('started by root', () => {
  it('gives back to the server what a restore left to root', async () => {
    await (await start(shared)).stop();
    spawnSync('chown', ['-R', '0:0', join(shared, 'postgres')]);
    const server = await start(shared);
    expect(await ask(server, 'select 1 as one')).toEqual({ one: 1 });
    expect(statSync(join(shared, 'postgres/data/base')).uid).toBe(65534);
  });

  it('keeps the files where its unprivileged server reaches them, for ever', async () => {
    const closed = join(root, 'closed');
    const dataDir = join(closed, 'data');
    mkdirSync(closed, { mode: 0o700 });
    const first = await start(dataDir);
    const place = readFileSync(join(dataDir, 'postgres.location'), 'utf8').trim();
    try {
      expect(place).toMatch(/^\/var\/lib\/aftersign-[0-9a-f]{12}\/postgres$/);
      expect(lines[0]).toContain(place);
      await ask(first, 'create table kept as select 42 as value');
      await first.stop();
      chmodSync(closed, 0o755);
      const second = await start(dataDir);
      expect(await ask(second, 'select value from kept')).toEqual({ value: 42 });
      await second.stop();
    } finally {
      await first.stop();
      rmSync(dirname(place), { recursive: true, force: true });
    }
  });

  it('says so when its files went out of reach, instead of beginning with an empty database', async () => {
    const closed = join(root, 'closing');
    await (await start(join(closed, 'data'))).stop();
    chmodSync(closed, 0o700);
    await expect(start(join(closed, 'data'))).rejects.toMatchObject({ code: 'DATABASE_FILES' });
  });
});
