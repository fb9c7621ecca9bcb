// Compiles src/ to dist/ with swc, copies the data files beside the code, and puts the built console into dist/web. The
// result replaces dist/ in one rename, so a service that starts meanwhile never sees half of it.
import { transformFile } from '@swc/core';
import { cp, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildConsole } from './build-console.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const fresh = join(root, `dist.${process.pid}.tmp`);
const old = `${fresh}.old`;

const source = join(root, 'src');

async function compile(entry) {
  const from = join(entry.parentPath, entry.name);
  const to = join(fresh, from.slice(source.length));
  await mkdir(dirname(to), { recursive: true });
  if (!entry.name.endsWith('.ts')) {
    await cp(from, to);
    return;
  }
  const { code, map } = await transformFile(from, { cwd: root, filename: from, sourceMaps: true });
  const target = to.replace(/\.ts$/, '.js');
  const name = entry.name.replace(/\.ts$/, '.js');
  await writeFile(target, `${code}\n//# sourceMappingURL=${name}.map\n`, {
    mode: name === 'cli.js' ? 0o755 : 0o644,
  });
  await writeFile(`${target}.map`, map ?? '');
}

try {
  const entries = await readdir(source, { recursive: true, withFileTypes: true });
  await Promise.all([
    buildConsole(root, join(fresh, 'web')),
    ...entries.filter((entry) => entry.isFile()).map(compile),
  ]);
} catch (error) {
  await rm(fresh, { recursive: true, force: true });
  throw error;
}
await rename(join(root, 'dist'), old).catch((error) => {
  if (error.code !== 'ENOENT') throw error;
});
await rename(fresh, join(root, 'dist'));
await rm(old, { recursive: true, force: true });
