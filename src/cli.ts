#!/usr/bin/env node
// Nothing that needs a newer Node is imported before it is known to be there.
import { inOwnRuntime } from './runtime.js';

await inOwnRuntime(async () => {
  const { runCommandLine } = await import('./cli/command-line.js');
  await runCommandLine(process.argv);
});
