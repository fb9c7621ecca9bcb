/** Says on standard error why a command is refused. Answers the exit code. */
export function refuse(code: string, message: string): 1 {
  process.stderr.write(`${code}: ${message}\n`);
  return 1;
}
