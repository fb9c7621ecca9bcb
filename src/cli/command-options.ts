import { type Command, Option } from 'commander';
import { serverAddress } from './server-address.js';

/** Of each command that can speak to a service, or prints for machines. */
export const JSON_OPTION = 'one JSON document on standard output';

/** `--server` and `--json`. */
export function withPlace(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--server <url>',
        'a running service, instead of the database of this machine; needs AFTERSIGN_TOKEN',
      ).argParser(serverAddress),
    )
    .option('--json', JSON_OPTION);
}

/** An example for the end of the help. */
export function example(...lines: readonly string[]): string {
  return `\nExample${lines.length > 1 ? 's' : ''}:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
