// For work on the console: a service with something to see in it, and the pages anew with each change of a file.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createServer } from 'vite';

const stage = spawn(process.execPath, [join(import.meta.dirname, 'stage.mjs')], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
stage.once('exit', (code) => process.exit(code ?? 1));
console.log('The service starts, with some events …');
for await (const line of createInterface({ input: stage.stdout })) {
  const { url, users, password } = JSON.parse(line);
  process.env['AFTERSIGN_URL'] = url;
  const server = await createServer({ configFile: join(import.meta.dirname, 'vite.config.mjs') });
  await server.listen();
  console.log(`service  ${url}\nlogin    ${users.join(', ')} with "${password}"`);
  server.printUrls();
}
