// Fails when package-lock.json lacks an optional platform package that another package names:
// `npm ci` refuses such a lock on the platform it is missing for.
import { readFileSync } from 'node:fs';

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const missing = [];
for (const [path, entry] of Object.entries(packages)) {
  for (const name of Object.keys(entry.optionalDependencies ?? {})) {
    if (!packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`]) {
      missing.push(`${name} (wanted by ${path || 'this project'})`);
    }
  }
}
if (missing.length > 0) {
  console.error(`package-lock.json is incomplete:\n  ${missing.join('\n  ')}`);
  process.exit(1);
}
