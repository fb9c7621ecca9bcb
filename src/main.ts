#!/usr/bin/env node
// Nothing that needs a newer Node is imported before the version is known.
import { withNewEnoughNode } from './node-version.js';

await withNewEnoughNode(async () => {
  const { runService } = await import('./service.js');
  await runService();
});
