import { type Command, InvalidArgumentError, Option } from 'commander';
import { USER_ROLES, type UserRole } from '../config/config.js';
import type { AdminPlace } from './admin.js';
import { example, withPlace } from './command-options.js';
import { type ListOptions, withListOptions } from './list-pages.js';

type Json = AdminPlace & { json?: boolean };

const DAYS = { least: 1, most: 365, usual: 90 };
const role = (description: string): Option => new Option('--role <role>', description).choices(USER_ROLES);

/** `aftersign users …`. */
export function addUserCommands(program: Command): void {
  const users = program
    .command('users')
    .description('who may use the admin API and the console, and their tokens');
  withPlace(withListOptions(users.command('list')))
    .description('all users')
    .addHelpText('after', example('aftersign users list'))
    .action(async (options: ListOptions & AdminPlace) => {
      const { listUsers } = await import('./users.js');
      process.exitCode = await listUsers(options);
    });
  withPlace(users.command('add <name>'))
    .description('a new user, with a one-time password that is printed once')
    .addOption(role('what the user may do').makeOptionMandatory())
    .option('--stdin', 'the password stands on standard input')
    .addHelpText('after', example('aftersign users add lena --role operator'))
    .action(async (name: string, options: Json & { role: UserRole; stdin?: boolean }) => {
      const { addUser } = await import('./users.js');
      process.exitCode = await addUser(name, options);
    });
  withPlace(users.command('change <name>'))
    .description("another role, or the user's access taken away or given back; it holds at once")
    .addOption(role('what the user may do'))
    .option('--disable', 'the user and all tokens of the user are refused')
    .option('--enable', 'they are not any more')
    .addHelpText(
      'after',
      example('aftersign users change lena --role admin', 'aftersign users change lena --disable'),
    )
    .action(
      async (name: string, options: Json & { role?: UserRole; disable?: boolean; enable?: boolean }) => {
        const { changeUser } = await import('./users.js');
        process.exitCode = await changeUser(name, options);
      },
    );
  withPlace(users.command('remove <name>'))
    .description('remove a user, with all tokens and sessions')
    .addHelpText('after', example('aftersign users remove lena'))
    .action(async (name: string, options: Json) => {
      const { removeUser } = await import('./users.js');
      process.exitCode = await removeUser(name, options);
    });
  withPlace(users.command('password <name>'))
    .description('a new one-time password, printed once: for whoever is locked out')
    .option('--stdin', 'the password stands on standard input')
    .addHelpText(
      'after',
      example('aftersign users password admin', 'aftersign users password admin --stdin < password.txt'),
    )
    .action(async (name: string, options: Json & { stdin?: boolean }) => {
      const { changePassword } = await import('./users.js');
      process.exitCode = await changePassword(name, options);
    });
  withPlace(users.command('token <user>'))
    .description('a new token of a user; nothing else stands on standard output')
    .requiredOption('--name <text>', 'what it is for')
    .addOption(role("at most this role; never more than the user's"))
    .option('--days <n>', `how long it is valid: ${DAYS.least} to ${DAYS.most} days`, days, DAYS.usual)
    .addHelpText(
      'after',
      example(
        'aftersign users token lena --name laptop --role viewer > token.txt',
        'AFTERSIGN_TOKEN=$(aftersign users token admin --name shell) aftersign events list --server https://…',
      ),
    )
    .action(async (user: string, options: Json & { name: string; role?: UserRole; days: number }) => {
      const { makeToken } = await import('./users.js');
      process.exitCode = await makeToken(user, options);
    });
}

function days(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text) || Number(text) > DAYS.most)
    throw new InvalidArgumentError(`It must be a number from ${DAYS.least} to ${DAYS.most}.`);
  return Number(text);
}
