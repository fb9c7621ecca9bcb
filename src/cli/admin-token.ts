import { open } from 'node:fs/promises';
import { messageOf } from '../config/log.js';
import { Refusal } from '../config/problem.js';

/** How somebody without a token gets one. */
export const HOW_TO_GET =
  'On the machine of the service "aftersign users token <user> --name <what for>" prints one; put it in AFTERSIGN_TOKEN, or in a file that AFTERSIGN_TOKEN_FILE names.';

const TOKEN = /^ast_[\w-]{20,200}$/;
const LONGEST = 4096;
/** Any right of the group or of others. */
const OPEN_TO_OTHERS = 0o077;

/**
 * The token for a running service, from the environment or a file: never a parameter, because others on the machine
 * see those.
 *
 * @throws Refusal when there is none, or others can read its file
 */
export async function readToken(environment: NodeJS.ProcessEnv): Promise<string> {
  const { AFTERSIGN_TOKEN: given = '', AFTERSIGN_TOKEN_FILE: file = '' } = environment;
  const place = given === '' ? `the file ${file}` : 'the variable AFTERSIGN_TOKEN';
  if (given === '' && file === '')
    throw new Refusal(401, 'LOGIN_REQUIRED', `--server needs a token. ${HOW_TO_GET}`);
  const token = (given === '' ? await readPrivateFile(file) : given).trim();
  // What is none is not sent to anybody: it may be the secret of something else.
  if (!TOKEN.test(token))
    throw new Refusal(401, 'LOGIN_REQUIRED', `${place} holds no token of Aftersign (ast_…). ${HOW_TO_GET}`);
  return token;
}

async function readPrivateFile(path: string): Promise<string> {
  try {
    const file = await open(path);
    try {
      const { mode } = await file.stat();
      if (process.platform !== 'win32' && (mode & OPEN_TO_OTHERS) !== 0)
        throw new Refusal(
          401,
          'TOKEN_FILE_OPEN',
          `other users can read or change ${path}: run "chmod 600" on it, and make a new token if somebody may have read this one`,
        );
      const bytes = Buffer.alloc(LONGEST);
      const { bytesRead } = await file.read(bytes, 0, LONGEST, null);
      return bytes.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(
      401,
      'LOGIN_REQUIRED',
      `the file of AFTERSIGN_TOKEN_FILE cannot be read: ${messageOf(error)}`,
    );
  }
}
