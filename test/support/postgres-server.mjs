// A PostgreSQL server, started and kept by a process of its own: prints where it is as a line of JSON.
import { startEmbeddedPostgres } from '../../dist/database/embedded-postgres.js';

const server = await startEmbeddedPostgres({ dataDir: process.argv[2], log: () => undefined });
process.stdout.write(`${JSON.stringify(server.url)}\n`);
// Until it is killed: the server itself then stays, like one that belongs to nobody.
setTimeout(() => undefined, 2 ** 31 - 1);
