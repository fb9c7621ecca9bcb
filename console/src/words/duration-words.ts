import type { Language } from './words.js';

const UNITS: Readonly<Record<string, string>> = {
  ms: '毫秒',
  s: '秒',
  m: '分钟',
  h: '小时',
  d: '天',
  'work minute': '个工作分钟',
  'work hour': '个工作小时',
  workday: '个工作日',
};

/** A duration as rule files write it, like `8 work hours` or `24h`; one that is written in another way stays as it is. */
export function durationWords(written: string, language: Language): string {
  const [, count, unit = ''] = /^(\d+) ?([a-z][a-z ]*)$/.exec(written) ?? [];
  const word = UNITS[unit] ?? UNITS[unit.replace(/s$/, '')];
  return language === 'en' || count === undefined || word === undefined ? written : `${count} ${word}`;
}
