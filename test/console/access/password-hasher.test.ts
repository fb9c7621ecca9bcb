import { describe, expect, it } from '@jest/globals';
import { PasswordHasher } from '../../../src/console/access/password-hasher.js';
import { passwordProblem } from '../../../src/console/access/password.schema.js';
import { userNameLike, userNameOf } from '../../../src/console/access/user-name.js';

describe('a stored password', () => {
  const hasher = new PasswordHasher();

  it('names its parameters, has its own salt, and fits the password alone', async () => {
    const [one, other] = [
      await hasher.hash('correct horse battery'),
      await hasher.hash('correct horse battery'),
    ];
    expect(one).toMatch(/^scrypt\$N=32768,r=8,p=3\$[\w-]{22}\$[\w-]{43}$/);
    expect(other).not.toBe(one);
    expect(await hasher.fits('correct horse battery', one)).toBe(true);
    expect(await hasher.fits('correct horse batterz', one)).toBe(false);
    expect(await hasher.fits('', one)).toBe(false);
  });

  it('is read with the parameters it names', async () => {
    const { scryptSync } = await import('node:crypto');
    const key = scryptSync('correct horse battery', Buffer.alloc(16, 7), 32, { N: 1024, r: 8, p: 1 });
    const text = `scrypt$N=1024,r=8,p=1$${Buffer.alloc(16, 7).toString('base64url')}$${key.toString('base64url')}`;
    expect(await hasher.fits('correct horse battery', text)).toBe(true);
    expect(await hasher.fits('incorrect horse', text)).toBe(false);
  });

  it('is the same however its characters were composed', async () => {
    const text = await hasher.hash('Zoë und Anaïs 2026'.normalize('NFD'));
    expect(await hasher.fits('Zoë und Anaïs 2026'.normalize('NFC'), text)).toBe(true);
  });

  it('fits nothing where there is none', async () => {
    expect(await hasher.fits('', null)).toBe(false);
    expect(await hasher.fits('anything at all', null)).toBe(false);
  });

  it('is refused to hash when many wait already, and the others have their turn', async () => {
    const busy = new PasswordHasher();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, () => busy.fits('x', 'scrypt$N=1024,r=8,p=1$AAAA$AAAA')),
    );
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(2);
    expect(refused[0]).toMatchObject({ reason: { status: 503, code: 'LOGIN_BUSY' } });
    expect(await busy.fits('x', null)).toBe(false);
  });
});

describe('a new password', () => {
  it.each([
    ['eleven char', 'must have at least 12 characters'],
    ['𝒶'.repeat(11), 'must have at least 12 characters'],
    ['x'.repeat(1025), 'must have at most 1024 bytes'],
    ['中'.repeat(342), 'must have at most 1024 bytes'],
    [`half a character \ud800`, 'holds half a character'],
    ['x'.repeat(1024), null],
    ['中文密码中文密码中文密码', null],
    ['with a space', null],
  ])('%j: %s', (text, problem) => {
    expect(passwordProblem(text)).toBe(problem);
  });
});

describe('a user name', () => {
  it.each([
    ['Anna.Li@Example.com', 'anna.li@example.com'],
    [' anna ', 'anna'],
    ['..', null],
    ['', null],
    ['a/b', null],
    ['a b', null],
    ['安娜', null],
    ['x'.repeat(65), null],
  ])('%j is stored as %j', (text, name) => {
    expect(userNameOf(text)).toBe(name);
  });

  it.each([
    ['Anna Li', 'anna-li'],
    ['安娜', 'user'],
    ['..', 'user'],
    ['', 'user'],
    ['x'.repeat(99), 'x'.repeat(56)],
  ])('%j resembles %j', (text, name) => {
    expect(userNameLike(text)).toBe(name);
  });
});
