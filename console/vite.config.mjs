import { join } from 'node:path';
import { defineConfig } from 'vite';

/** Where the service is that the development server shows: `npm run console:dev` says it. */
const service = process.env['AFTERSIGN_URL'] ?? 'http://127.0.0.1:3900';

/** Of the page as the development server answers it. */
const atRoot = {
  name: 'base-of-development',
  apply: 'serve',
  transformIndexHtml: (html) => html.replaceAll('__BASE__', '/'),
};

export default defineConfig({
  plugins: [atRoot],
  root: import.meta.dirname,
  // Relative: the service is reached below any path that a proxy in front of it has.
  base: './',
  cacheDir: join(import.meta.dirname, '..', 'node_modules', '.cache', 'vite'),
  // The service puts a nonce of its own into each page it answers.
  html: { cspNonce: '__NONCE__' },
  build: {
    target: 'es2023',
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // The budget is of what is packed and loaded first, and a test holds it.
    chunkSizeWarningLimit: 1000,
    rolldownOptions: {
      onLog(level, log, handle) {
        // Of libraries that also run on servers: it says nothing to a browser.
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') handle(level, log);
      },
    },
  },
  server: { proxy: { '/api': { target: service } } },
});
