#!/usr/bin/env node
// Nothing that needs a newer Node is imported before the version is known.
import { withNewEnoughNode } from './node-version.js';

await withNewEnoughNode(async () => {
  const { runCommandLine } = await import('./cli/command-line.js');
  await runCommandLine(process.argv);
});
