// Real files. What is wrong inside a file is the business of other tests; here it is which files are read, and when.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { fingerprintFolder, readRuleFolder, RuleFolderReader } from '../../src/rules/rule-files.js';
import { folderWith, put } from '../support/folder.js';

async function read(folder: string): Promise<{ files: Record<string, string>; findings: string[] }> {
  const { files, findings } = await readRuleFolder(folder);
  return {
    files: Object.fromEntries(files),
    findings: findings.map(({ file, code, message }) => `${file} ${code} ${message}`),
  };
}

describe('the rules folder', () => {
  it('is read sorted by path, without hidden files and what is no .json', async () => {
    const names = [
      'b.rule.json',
      'B.rule.json',
      'a/z.rule.json',
      'a.rule.json',
      'ä.rule.json',
      'a/b/c.rule.json',
    ];
    const folder = folderWith(Object.fromEntries(names.map((name) => [name, name])));
    put(folder, {
      '.git/x.json': '',
      '.x.rule.json': '',
      '..data/x.json': '',
      'a.rule.json~': '',
      'read.me': '',
    });
    const { files, findings, stable } = await readRuleFolder(folder);
    expect([...files]).toEqual([...names].sort().map((name) => [name, name]));
    expect({ findings, stable }).toEqual({ findings: [], stable: true });
  });

  it('of more than 20 000 files is not read', async () => {
    const folder = folderWith({});
    for (let i = 0; i < 20_000; i++) writeFileSync(join(folder, `${i}.json`), '');
    const { files, stable } = await readRuleFolder(folder);
    expect([...files.keys()]).toEqual(Array.from({ length: 20_000 }, (_, i) => `${i}.json`).sort());
    expect(stable).toBe(true);
    writeFileSync(join(folder, 'one-more.json'), '');
    expect(await read(folder)).toEqual({
      files: {},
      findings: ['. RULES_TOO_LARGE there are more than 20000 files and folders'],
    });
  });

  it('of more than 200 MB is not read, and a file of more than 5 MB neither', async () => {
    const mebibyte = 1024 * 1024;
    const folder = folderWith({ 'large.json': '', 'small.json': '' });
    truncateSync(join(folder, 'large.json'), 5 * mebibyte + 1);
    expect(await read(folder)).toEqual({
      files: { 'small.json': '' },
      findings: [`large.json FILE_UNREADABLE the file has ${5 * mebibyte + 1} bytes`],
    });
    for (let i = 0; i < 41; i++) {
      writeFileSync(join(folder, `${i}.json`), '');
      truncateSync(join(folder, `${i}.json`), 5 * mebibyte);
    }
    expect(await read(folder)).toEqual({
      files: {},
      findings: [`. RULES_TOO_LARGE the files have ${205 * mebibyte} bytes together`],
    });
  });
});

describe('a file in the rules folder', () => {
  it('is UTF-8, with or without a byte order mark; any other encoding is named', async () => {
    const folder = folderWith({ 'bom.json': '\ufeff{"审批":1}', 'plain.json': '{"审批":1}\r\n' });
    const utf16 = Buffer.from('{"审批":1}', 'utf16le');
    writeFileSync(join(folder, 'utf16.json'), utf16);
    writeFileSync(join(folder, 'utf16-big.json'), Buffer.from(utf16).swap16());
    writeFileSync(join(folder, 'gbk.json'), Buffer.from([0x22, 0xc9, 0xf3, 0xc5, 0xfa, 0x22]));
    expect(await read(folder)).toEqual({
      files: { 'bom.json': '{"审批":1}', 'plain.json': '{"审批":1}\r\n' },
      findings: [
        'gbk.json FILE_UNREADABLE the file is not UTF-8 (perhaps GBK)',
        'utf16-big.json FILE_UNREADABLE the file is UTF-16 (big endian), not UTF-8',
        'utf16.json FILE_UNREADABLE the file is UTF-16 (little endian), not UTF-8',
      ],
    });
  });

  it('is missed when its folder is, with a finding', async () => {
    expect(await read('/nowhere/at/all')).toEqual({
      files: {},
      findings: ['. RULES_UNREADABLE the folder cannot be read: ENOENT'],
    });
  });
});

describe('a symbolic link in the rules folder', () => {
  it('is read when it leads to a file or a folder within it', async () => {
    const folder = folderWith({ 'topic/a.rule.json': 'a', '.shared/b.rule.json': 'b' });
    symlinkSync('topic', join(folder, 'also'));
    symlinkSync('.shared/b.rule.json', join(folder, 'b.rule.json'));
    symlinkSync(join(folder, 'b.rule.json'), join(folder, 'c.rule.json'));
    expect(await read(folder)).toEqual({
      files: { 'also/a.rule.json': 'a', 'b.rule.json': 'b', 'c.rule.json': 'b', 'topic/a.rule.json': 'a' },
      findings: [],
    });
  });

  it('is refused when it leads out of it, nowhere, in a circle, or to no file', async () => {
    const folder = folderWith({ 'topic/a.rule.json': 'a' });
    const outside = join(dirname(folder), 'rules-of-others');
    put(outside, { 'x.rule.json': 'secret' });
    execFileSync('mkfifo', [join(folder, 'pipe.json'), join(folder, 'pipe')]);
    const links = {
      'out.rule.json': join(outside, 'x.rule.json'),
      'out-folder': '../rules-of-others',
      'topic/up': '..',
      'topic/self': '.',
      'device.json': '/dev/zero',
      'to-pipe.json': 'pipe',
      'nowhere.json': 'gone.json',
      nowhere: 'gone',
      'circle.json': 'circle.json',
      'read.me': join(outside, 'x.rule.json'),
    };
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(folder, name));
    expect(await read(folder)).toEqual({
      files: { 'topic/a.rule.json': 'a' },
      findings: [
        'circle.json FILE_NOT_REGULAR this link leads to itself',
        'device.json FILE_NOT_REGULAR this link leads out of the rules folder',
        'nowhere FILE_NOT_REGULAR this link leads nowhere',
        'nowhere.json FILE_NOT_REGULAR this link leads nowhere',
        'out-folder FILE_NOT_REGULAR this link leads out of the rules folder',
        'out.rule.json FILE_NOT_REGULAR this link leads out of the rules folder',
        'pipe.json FILE_NOT_REGULAR this is a pipe, a device or a socket',
        'to-pipe.json FILE_NOT_REGULAR this is a pipe, a device or a socket',
        'topic/self FILE_NOT_REGULAR this link leads to a folder that it lies in',
        'topic/up FILE_NOT_REGULAR this link leads to a folder that it lies in',
      ],
    });
  });

  it('may be the rules folder itself', async () => {
    const folder = folderWith({ 'a.rule.json': 'a' });
    symlinkSync('rules', `${folder}-link`);
    symlinkSync('a.rule.json', join(folder, 'b.rule.json'));
    expect(await read(`${folder}-link`)).toEqual({
      files: { 'a.rule.json': 'a', 'b.rule.json': 'a' },
      findings: [],
    });
  });

  it('may fan out into more files than are read', async () => {
    const folder = folderWith({});
    for (let i = 0; i < 20; i++) {
      mkdirSync(join(folder, `.${i}`));
      for (const side of ['left', 'right']) symlinkSync(`../.${i + 1}`, join(folder, `.${i}`, side));
    }
    mkdirSync(join(folder, '.20'));
    symlinkSync('.0', join(folder, 'start'));
    expect((await read(folder)).findings).toEqual([
      '. RULES_TOO_LARGE there are more than 20000 files and folders',
    ]);
  });
});

describe('a folder that changes while it is read', () => {
  it('gives files of one moment, or says that they may not be', async () => {
    const between = Array.from({ length: 100 }, (_, i) => `m${i}.json`);
    const folder = folderWith(
      Object.fromEntries(['a.json', ...between, 'z.json'].map((name) => [name, '1000'])),
    );
    let written = 1000;
    const writing = setInterval(() => {
      written += 1;
      put(folder, { 'a.json': `${written}`, 'z.json': `${written}` });
    }, 30);
    try {
      while (written < 1050) {
        const { stable, files } = await readRuleFolder(folder);
        if (stable) expect(files.get('z.json')).toBe(files.get('a.json'));
      }
    } finally {
      clearInterval(writing);
    }
    expect((await readRuleFolder(folder)).stable).toBe(true);
  });

  it('for ever gives what was read last', async () => {
    const names = Array.from({ length: 300 }, (_, i) => `${i}.json`);
    const folder = folderWith(Object.fromEntries(names.map((name) => [name, '0'])));
    let written = 0;
    const writing = setInterval(() => {
      writeFileSync(join(folder, 'new.json'), `${(written += 1)}`);
    }, 1);
    const { stable, files, fingerprint } = await readRuleFolder(folder).finally(() => {
      clearInterval(writing);
    });
    expect({ stable, count: files.size }).toEqual({ stable: false, count: 301 });
    expect(fingerprint).not.toBe(await fingerprintFolder(folder));
  });
});

describe('the fingerprint', () => {
  it('is that of the folder as it was read, and changes with any file, but not with others', async () => {
    const folder = folderWith({ 'a.json': 'a', 'topic/b.json': 'b' });
    const seen = [await fingerprintFolder(folder)];
    const changed = async (): Promise<void> => {
      const now = await fingerprintFolder(folder);
      expect(seen).not.toContain(now);
      expect((await readRuleFolder(folder)).fingerprint).toBe(now);
      seen.push(now);
    };
    put(folder, { 'read.me': '', '.hidden.json': '', 'empty/none': '' });
    expect(await fingerprintFolder(folder)).toBe(seen[0]);
    put(folder, { 'a.json': 'ab' });
    await changed();
    utimesSync(join(folder, 'a.json'), 1, 1);
    await changed();
    chmodSync(join(folder, 'a.json'), 0o600);
    await changed();
    renameSync(join(folder, 'topic'), join(folder, 'moved'));
    await changed();
    symlinkSync('gone', join(folder, 'c.json'));
    await changed();
    rmSync(folder, { recursive: true });
    await changed();
  });

  it('of the contents changes only with what there is to read', async () => {
    const folder = folderWith({ 'a.json': 'a' });
    const before = (await readRuleFolder(folder)).contents;
    utimesSync(join(folder, 'a.json'), 1, 1);
    renameSync(join(folder, 'a.json'), join(folder, 'aside'));
    put(folder, { 'a.json': 'a' });
    expect((await readRuleFolder(folder)).contents).toBe(before);
    put(folder, { 'a.json': 'b' });
    const after = (await readRuleFolder(folder)).contents;
    expect(after).not.toBe(before);
    symlinkSync('gone', join(folder, 'c.json'));
    expect((await readRuleFolder(folder)).contents).not.toBe(after);
  });
});

describe('a folder that is read again', () => {
  it('is what it is now, whatever was read before', async () => {
    const folder = folderWith({ 'a.rule.json': '1', 'b.rule.json': '2', 'c.rule.json': '3' });
    const reader = new RuleFolderReader(folder);
    const first = await reader.read();
    // Old enough to be taken as it was read.
    const old = new Date(Date.now() - 60_000);
    writeFileSync(join(folder, 'a.rule.json'), '4');
    unlinkSync(join(folder, 'b.rule.json'));
    utimesSync(join(folder, 'c.rule.json'), old, old);
    const second = await reader.read();
    expect(Object.fromEntries(second.files)).toEqual({ 'a.rule.json': '4', 'c.rule.json': '3' });
    expect(second.contents).not.toBe(first.contents);
    expect(second.contents).toBe((await readRuleFolder(folder)).contents);
    expect(Object.fromEntries((await reader.read()).files)).toEqual(Object.fromEntries(second.files));
  });

  it('is read anew where times tell nothing, once it is asked for', async () => {
    const folder = folderWith({ 'a.rule.json': '1' });
    const file = join(folder, 'a.rule.json');
    utimesSync(file, 1000, 1000);
    const reader = new RuleFolderReader(folder);
    const trusting = new RuleFolderReader(folder, -60_000);
    const before = (await reader.read()).contents;
    await trusting.read();
    writeFileSync(file, '2');
    utimesSync(file, 1000, 1000);
    // Changed too lately to be trusted, although size, time and inode are the same.
    expect((await reader.read()).files.get('a.rule.json')).toBe('2');
    expect((await reader.read()).contents).not.toBe(before);
    expect((await trusting.read()).contents).toBe(before);
    expect((await trusting.read({ fresh: true })).contents).not.toBe(before);
  });
});
