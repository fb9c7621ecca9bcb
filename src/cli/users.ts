import { printable } from '../config/terminal-text.js';
import type { UserRole } from '../config/config.js';
import type { ChangedUser, User } from '../console/access/users.schema.js';
import { type AdminPlace, withAdmin } from './admin.js';
import { pc } from './colours.js';
import { type ListOptions, printPages } from './list-pages.js';
import { ListTable } from './list-table.js';
import { readPassword } from './new-password.js';
import { print } from './output.js';
import { wrongUse } from './refuse.js';
import { textOr, timeText } from './words.js';

interface UserOptions extends AdminPlace {
  readonly json?: boolean | undefined;
}

/** `aftersign users list` */
export async function listUsers(options: ListOptions & AdminPlace): Promise<number> {
  const table = new ListTable<User>([
    { head: 'name 用户名', text: ({ name }) => printable(name), whole: true },
    { head: 'role 角色', text: ({ role }) => printable(role) },
    { head: 'state 状态', text: stateText },
    { head: 'signs in by 登录方式', text: ({ identity }) => textOr(identity, 'password 密码') },
    { head: 'last login 最近登录', text: ({ lastLoginAt }) => timeText(lastLoginAt) },
    { head: 'made 创建', text: ({ createdAt }) => timeText(createdAt) },
  ]);
  return await withAdmin(
    options,
    async ({ users }) => await printPages((page) => users.list(page), options, table, 'users'),
  );
}

function stateText({ disabled, mustChangePassword }: User): string {
  if (disabled) return pc.red('disabled 已停用');
  return mustChangePassword ? pc.yellow('one-time password 一次性密码') : pc.green('active 有效');
}

/** `aftersign users add <name>`: with a password from standard input, or a one-time one that is printed. */
export async function addUser(
  name: string,
  options: UserOptions & { readonly role: UserRole; readonly stdin?: boolean },
): Promise<number> {
  const { role, stdin = false } = options;
  const password = stdin ? await readPassword() : undefined;
  return await withAdmin(options, async ({ users }) => {
    const user = await users.create({ name, role, ...(password === undefined ? {} : { password }) });
    await tell(user, options, `User 用户 ${printable(user.name)} (${user.role}) was made.`);
    return 0;
  });
}

/** `aftersign users change <name>`: another role, or the login taken away or given back. */
export async function changeUser(
  name: string,
  options: UserOptions & { readonly role?: UserRole; readonly disable?: boolean; readonly enable?: boolean },
): Promise<number> {
  const { role, disable = false, enable = false } = options;
  if (disable && enable) return wrongUse('--disable or --enable, not both');
  if (role === undefined && !disable && !enable)
    return wrongUse('nothing to change: --role, --disable or --enable');
  return await withAdmin(options, async ({ users }) => {
    const user = await users.change(name, {
      ...(role === undefined ? {} : { role }),
      ...(disable || enable ? { disabled: disable } : {}),
    });
    await tell(user, options, `User 用户 ${printable(user.name)}: ${user.role}, ${stateText(user)}`);
    return 0;
  });
}

/** `aftersign users password <name>`: from standard input, or a one-time one that is printed. */
export async function changePassword(
  name: string,
  options: UserOptions & { readonly stdin?: boolean },
): Promise<number> {
  const password = options.stdin ? await readPassword() : null;
  return await withAdmin(options, async ({ users }) => {
    const user = await users.change(name, { password });
    await tell(user, options, `User 用户 ${printable(user.name)} has a new password.`);
    return 0;
  });
}

/** `aftersign users remove <name>` */
export async function removeUser(name: string, options: UserOptions): Promise<number> {
  return await withAdmin(options, async ({ users }) => {
    await users.remove(name);
    await print(
      options.json
        ? `${JSON.stringify({ removed: name })}\n`
        : `User 用户 ${printable(name)} was removed, with all tokens and sessions.\n`,
    );
    return 0;
  });
}

/** `aftersign users token <name>`: prints a new token, and on standard output nothing else. */
export async function makeToken(
  user: string,
  options: UserOptions & { readonly name: string; readonly role?: UserRole; readonly days: number },
): Promise<number> {
  const { name, role, days, json } = options;
  return await withAdmin(options, async ({ users }) => {
    const made = await users.makeToken(user, {
      name,
      expiresInDays: days,
      ...(role === undefined ? {} : { role }),
    });
    await print(json ? `${JSON.stringify(made)}\n` : `${made.token}\n`);
    if (!json)
      process.stderr.write(
        `Token "${printable(made.name)}" of ${printable(made.user)}, role ${made.role}, until ${timeText(made.expiresAt)}. It is shown this once. 仅显示一次。\n`,
      );
    return 0;
  });
}

async function tell(user: ChangedUser, { json = false }: UserOptions, said: string): Promise<void> {
  const { oneTimePassword } = user;
  if (json) {
    await print(`${JSON.stringify(user)}\n`);
    return;
  }
  await print(`${said}\n`);
  if (oneTimePassword === undefined) return;
  await print(`One-time password 一次性密码: ${oneTimePassword}\n`);
  process.stderr.write(
    'It is shown this once, and has to be changed after signing in. 仅显示一次，登录后须修改。\n',
  );
}
