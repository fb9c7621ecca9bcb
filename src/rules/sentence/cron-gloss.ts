import type { Language } from './language.js';

const DAYS: Readonly<Record<string, Readonly<Record<Language, string>>>> = {
  '*': { zh: '每天', en: 'every day' },
  '1-5': { zh: '周一至周五', en: 'Monday to Friday' },
  '1': { zh: '每周一', en: 'every Monday' },
  '2': { zh: '每周二', en: 'every Tuesday' },
  '3': { zh: '每周三', en: 'every Wednesday' },
  '4': { zh: '每周四', en: 'every Thursday' },
  '5': { zh: '每周五', en: 'every Friday' },
  '6': { zh: '每周六', en: 'every Saturday' },
  '0': { zh: '每周日', en: 'every Sunday' },
};

/** What a simple cron expression says, for the reader: `每天 09点00分`. Null for any other. */
export function cronGloss(cron: string, language: Language): string | null {
  const [, minute = '', hour = '', day = ''] = /^(\d{1,2}) (\d{1,2}) \* \* (\S+)$/.exec(cron) ?? [];
  const days = Object.hasOwn(DAYS, day) ? DAYS[day]?.[language] : undefined;
  if (days === undefined || Number(minute) > 59 || Number(hour) > 23) return null;
  const time = `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`;
  return language === 'zh' ? `${days} ${time}` : `${days} at ${time}`;
}
