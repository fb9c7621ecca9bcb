import { createInterface } from 'node:readline/promises';

/** Whether somebody is there to be asked. */
export function isAskable(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks on the terminal, and answers whether it was "yes". */
export async function saysYes(question: string): Promise<boolean> {
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await reader.question(question)).trim().toLowerCase() === 'yes';
  } finally {
    reader.close();
  }
}
