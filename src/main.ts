#!/usr/bin/env node
// Nothing that needs a newer Node is imported before it is known to be there.
import { inOwnRuntime } from './runtime.js';

await inOwnRuntime(async () => {
  const { runService } = await import('./service.js');
  await runService();
});
