// Builds console/ with Vite into a folder. What was built of the same sources is kept, so that only changes cost time.
import { createHash } from 'node:crypto';
import { cp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'vite';

/** Names of files in `console/` that the build reads. */
async function sourcesOf(root) {
  const entries = await readdir(join(root, 'console'), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

export async function buildConsole(root, to) {
  const hash = createHash('sha256');
  for (const file of [...(await sourcesOf(root)), join(root, 'package-lock.json'), import.meta.filename]) {
    hash.update(file.slice(root.length)).update('\0');
    hash.update(await readFile(file)).update('\0');
  }
  const kept = join(root, 'node_modules', '.cache', 'console');
  const name = hash.digest('hex').slice(0, 24);
  const made = join(kept, name);
  if (!(await readdir(made).catch(() => null))) {
    const fresh = `${made}.${process.pid}`;
    await build({
      configFile: join(root, 'console', 'vite.config.mjs'),
      logLevel: 'warn',
      build: { outDir: fresh, emptyOutDir: true },
    });
    for (const old of await readdir(kept).catch(() => [])) {
      if (!old.startsWith(name)) await rm(join(kept, old), { recursive: true, force: true });
    }
    // Another build of the same sources may have been faster.
    await rename(fresh, made).catch(() => rm(fresh, { recursive: true, force: true }));
  }
  await cp(made, to, { recursive: true });
}
