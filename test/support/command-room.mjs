// Runs commands of `aftersign` one after another as its parent asks for them, each in its own environment, and answers
// what each printed and its exit code.
import process from 'node:process';
import { Readable } from 'node:stream';
import { runCommandLine } from '../../dist/cli/command-line.js';

const said = { stdout: '', stderr: '' };
for (const name of ['stdout', 'stderr']) {
  // Every command watches its output anew.
  process[name].setMaxListeners(0);
  process[name].write = (text) => {
    said[name] += text.toString();
    return true;
  };
}

process.on('message', async ({ parameters, environment, input }) => {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, environment);
  Object.assign(said, { stdout: '', stderr: '' });
  Object.defineProperty(process, 'stdin', { value: Readable.from([Buffer.from(input)]), configurable: true });
  process.exitCode = undefined;
  await runCommandLine([process.execPath, 'aftersign', ...parameters]);
  process.send({ code: process.exitCode ?? 0, ...said });
});
