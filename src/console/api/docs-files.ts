import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

interface DocsFile {
  readonly type: string;
  readonly bytes: Buffer;
  readonly packed: Buffer;
  readonly etag: string;
}

const OWN = join(import.meta.dirname, 'docs-page');
// It comes with @nestjs/swagger, whichever folder it is in.
const SWAGGER_UI = dirname(
  createRequire(createRequire(import.meta.url).resolve('@nestjs/swagger')).resolve(
    'swagger-ui-dist/package.json',
  ),
);
const JAVASCRIPT = 'text/javascript; charset=utf-8';
/** All there is: no name that somebody asks for ever becomes a path. */
const FILES = new Map<string, { readonly path: string; readonly type: string }>([
  ['', { path: join(OWN, 'page.html'), type: 'text/html; charset=utf-8' }],
  ['page-script.js', { path: join(OWN, 'page-script.js'), type: JAVASCRIPT }],
  ['swagger-ui-bundle.js', { path: join(SWAGGER_UI, 'swagger-ui-bundle.js'), type: JAVASCRIPT }],
  ['swagger-ui.css', { path: join(SWAGGER_UI, 'swagger-ui.css'), type: 'text/css; charset=utf-8' }],
  ['favicon-32x32.png', { path: join(SWAGGER_UI, 'favicon-32x32.png'), type: 'image/png' }],
]);

const pack = promisify(gzip);

/** The files of the page, read and packed when they are asked for the first time. */
export class DocsFiles {
  private readonly read = new Map<string, Promise<DocsFile>>();

  /** '' is the page itself. Null: there is no such file. */
  async find(name: string): Promise<DocsFile | null> {
    const known = FILES.get(name);
    if (!known) return null;
    let file = this.read.get(name);
    if (!file) this.read.set(name, (file = load(known.path, known.type)));
    return await file;
  }
}

async function load(path: string, type: string): Promise<DocsFile> {
  const bytes = await readFile(path);
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 27)}"`;
  return { type, bytes, packed: await pack(bytes), etag };
}
