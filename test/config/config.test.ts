import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../support/folder.js';
import { loadConfig } from '../../src/config/config.js';
import { ConfigError } from '../../src/config/config.errors.js';
import { parseDuration, writeDuration } from '../../src/config/duration.js';

function problemsOf(environment: NodeJS.ProcessEnv): readonly string[] {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('settings', () => {
  it('have defaults for a machine with nothing set, and count empty variables as not set', () => {
    const config = loadConfig({ PORT: '', DATABASE_URL: '' });
    expect(config).toMatchObject({
      PORT: 3000,
      HOST: '127.0.0.1',
      FEISHU_SIGNATURE_MAX_AGE: 86_400_000,
      DEFAULT_TIMEZONE: 'Asia/Shanghai',
    });
    expect(config.ROLE).toEqual(['ingest', 'rules', 'action', 'console']);
    expect(config.DATABASE_URL).toBeUndefined();
  });

  it('reports every problem at once, naming the setting', () => {
    const problems = problemsOf({
      PORT: '70000',
      ROLE: 'ingest,sender',
      FEISHU_SIGNATURE_MAX_AGE: '24',
      OUTBOUND_ALLOW: 'a b',
      LOG_LEVEL: 'loud',
      INGEST_LOG: 'nats://x',
    });
    expect(problems.map((p) => p.split(' ')[0])).toEqual([
      'INGEST_LOG',
      'PORT',
      'ROLE',
      'FEISHU_SIGNATURE_MAX_AGE',
      'OUTBOUND_ALLOW',
      'LOG_LEVEL',
    ]);
  });

  it('never repeats a URL that holds a password', () => {
    expect(
      problemsOf({ DATABASE_URL: 'mysql://u:hunter2@h/db', SMTP_URL: 'http://u:hunter2@h' }).join('\n'),
    ).not.toContain('hunter2');
  });

  it('wants a sender when there is a mail server', () => {
    expect(problemsOf({ SMTP_URL: 'smtp://localhost' })).toEqual([expect.stringContaining('MAIL_FROM')]);
  });

  it('reads what actions may reach', () => {
    expect(
      loadConfig({
        OUTBOUND_ALLOW: 'localhost:8080, 10.0.0.0/8, 127.0.0.1:25, [::1]:443, fd00::/8, intranet',
      }).OUTBOUND_ALLOW,
    ).toEqual([
      { kind: 'host', host: 'localhost', port: 8080 },
      { kind: 'cidr', address: '10.0.0.0', prefix: 8, port: null },
      { kind: 'cidr', address: '127.0.0.1', prefix: 32, port: 25 },
      { kind: 'cidr', address: '::1', prefix: 128, port: 443 },
      { kind: 'cidr', address: 'fd00::', prefix: 8, port: null },
      { kind: 'host', host: 'intranet', port: null },
    ]);
  });

  it('takes secrets from files first, as they are at the moment, then from the environment', () => {
    const folder = temporaryFolder('secrets');
    writeFileSync(join(folder, 'TOKEN'), 'from-file\n');
    const { secrets } = loadConfig({ SECRETS_DIR: folder, SECRET_TOKEN: 'from-env', SECRET_OTHER: 'other' });
    expect([
      secrets.get('TOKEN'),
      secrets.get('OTHER'),
      secrets.get('../TOKEN'),
      secrets.has('NONE'),
    ]).toEqual(['from-file', 'other', undefined, false]);
    writeFileSync(join(folder, 'TOKEN'), 'rotated');
    expect(secrets.get('TOKEN')).toBe('rotated');
  });
});

describe('durations', () => {
  it.each([
    ['30s', 30_000],
    ['24h', 86_400_000],
    ['2d', 172_800_000],
    ['PT24H', 86_400_000],
    ['P1DT30M', 88_200_000],
    ['24', null],
    ['', null],
    ['P', null],
    ['PT', null],
    ['1.5h', null],
  ])('%s is %s ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
    if (ms !== null) expect(parseDuration(writeDuration(ms))).toBe(ms);
  });
});
