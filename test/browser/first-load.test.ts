// What a browser has to fetch before it shows the first page: as the built index.html and the imports of its files say.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';

const WEB = 'dist/web';
const BUDGET = 350_000;
const IMPORT = /\b(?:from|import)\s*["'`](\.\/[^"'`]+\.js)["'`]/g;

/** Files below `assets/` that are there before the first of them has run: of one file with all that it imports. */
function withImports(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  const text = readFileSync(join(WEB, 'assets', file), 'utf8');
  for (const [, other = ''] of text.matchAll(IMPORT)) withImports(other.slice(2), found);
  return found;
}

function packed(files: Iterable<string>): number {
  return [...files].reduce((sum, file) => sum + gzipSync(readFileSync(join(WEB, 'assets', file))).length, 0);
}

describe('the first load', () => {
  const page = readFileSync(join(WEB, 'index.html'), 'utf8');
  const scripts = [...page.matchAll(/(?:src|href)="\.\/assets\/([^"]+\.js)"/g)].map(([, file = '']) => file);
  const entry = new Set(scripts.flatMap((file) => [...withImports(file)]));

  it('is at most 350 kB of packed JavaScript', () => {
    expect(scripts.length).toBeGreaterThan(0);
    // React and Mantine are in it: less would mean that the graph is not seen.
    expect(packed(entry)).toBeGreaterThan(100_000);
    expect(packed(entry)).toBeLessThanOrEqual(BUDGET);
  });

  it('is that with the overview too, which is the first page', () => {
    const text = [...entry].map((file) => readFileSync(join(WEB, 'assets', file), 'utf8')).join('\n');
    const [overview = ''] = /overview-[\w-]+\.js/.exec(text) ?? [];
    expect(packed(new Set([...entry, ...withImports(overview)]))).toBeLessThanOrEqual(BUDGET);
  });

  it('has neither the chart nor the editor, which come when one is seen', () => {
    const text = [...entry].map((file) => readFileSync(join(WEB, 'assets', file), 'utf8')).join('\n');
    expect(text).not.toContain('cm-scroller');
    expect(text).not.toContain('u-over');
  });
});
