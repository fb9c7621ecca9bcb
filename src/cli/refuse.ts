/** Says on standard error why a command is refused. Answers the exit code. */
export function refuse(code: string, message: string): 1 {
  process.stderr.write(`${code}: ${message}\n`);
  return 1;
}

/** Says on standard error how a command was meant to be used. Answers the exit code. */
export function wrongUse(message: string): 2 {
  process.stderr.write(`error: ${message}\n`);
  return 2;
}
